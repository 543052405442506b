/** The elementary functions against the JavaScript engine's (accurate to an ulp or two) and against identities. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cos, exp, log, sin } from '../../src/tensor/exact.ts';

const test = suite('exact');

const angle = fc.double({ min: -1e5, max: 1e5, noNaN: true });

test('sin and cos are within 1e-15 of the truth', () => {
  fc.assert(
    fc.property(angle, (x) => {
      assert.ok(Math.abs(sin(x) - Math.sin(x)) < 1e-15, `sin(${x})`);
      assert.ok(Math.abs(cos(x) - Math.cos(x)) < 1e-15, `cos(${x})`);
    }),
    { numRuns: 5000 },
  );
  for (let degrees = -720; degrees <= 720; degrees++) {
    const x = (degrees * Math.PI) / 180;
    assert.ok(Math.abs(sin(x) - Math.sin(x)) < 1e-15 && Math.abs(cos(x) - Math.cos(x)) < 1e-15, `${degrees} degrees`);
  }
  assert.is(sin(0), 0);
  assert.is(cos(0), 1);
});

test('exp has a relative error below 1e-15 and ends well at both ends', () => {
  fc.assert(
    fc.property(fc.double({ min: -700, max: 709, noNaN: true }), (x) => {
      assert.ok(Math.abs(exp(x) / Math.exp(x) - 1) < 1e-15, `exp(${x})`);
    }),
    { numRuns: 5000 },
  );
  assert.is(exp(0), 1);
  assert.is(exp(710), Number.POSITIVE_INFINITY);
  assert.is(exp(-746), 0);
  assert.ok(Math.abs(exp(-740) / Math.exp(-740) - 1) < 1e-2); // subnormal, so few bits remain
});

test('log has a relative error below 1e-15, also near 1 and for subnormal numbers', () => {
  const close = (x: number): void => {
    const truth = Math.log(x);
    assert.ok(Math.abs(log(x) - truth) <= 1e-15 * Math.abs(truth), `log(${x})`);
  };
  fc.assert(fc.property(fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true }), close), {
    numRuns: 5000,
  });
  fc.assert(fc.property(fc.double({ min: 0.5, max: 2, noNaN: true }), close), { numRuns: 5000 });
  assert.is(log(1), 0);
  assert.is(log(0), Number.NEGATIVE_INFINITY);
  assert.ok(Number.isNaN(log(-1)));
});

test('fixed bits: these values hold in every engine', () => {
  assert.equal(
    [sin(1), cos(1), exp(2.5), log(7), sin(12345.678)],
    [0.8414709848078965, 0.5403023058681398, 12.182493960703473, 1.9459101490553132, -0.7040813137533816],
  );
});

test('angles that are not finite or too large are refused', () => {
  assert.throws(() => sin(Number.NaN), /sin: the angle NaN/);
  assert.throws(() => cos(1e6), /cos: the angle 1000000/);
});

test.run();
