/** Finding a browser, and the advice if there is none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { browserPlaces, browserPlan, findBrowser } from '../../tools/browsers.mjs';
import { parseOsRelease } from '../../tools/systems.mjs';

const test = suite('browsers');

test('a browser named by the variable is the only one looked for', () => {
  const environment = { ROMO_BROWSER: '/my/browser', PATH: '/usr/bin' };
  assert.equal(browserPlaces({ platform: 'linux', environment }), ['/my/browser']);
  assert.is(findBrowser({ platform: 'linux', environment, exists: () => false }), null);
});

test('Linux: the search path, Chromium before Chrome before Edge, then the usual folders', () => {
  const environment = { PATH: '/usr/local/bin:/usr/bin' };
  const found = (...there: string[]) =>
    findBrowser({ platform: 'linux', environment, exists: (path) => there.includes(path) });
  assert.is(found('/usr/bin/google-chrome', '/usr/bin/chromium'), '/usr/bin/chromium');
  assert.is(found('/usr/bin/microsoft-edge', '/usr/local/bin/google-chrome'), '/usr/local/bin/google-chrome');
  assert.is(found('/opt/google/chrome/chrome'), '/opt/google/chrome/chrome');
  assert.is(found(), null);
});

test('macOS and Windows: where the installers put them', () => {
  const mac = browserPlaces({ platform: 'darwin', environment: {} });
  assert.ok(mac.includes('/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'));
  const windows = browserPlaces({ platform: 'win32', environment: { PROGRAMFILES: 'C:\\Program Files' } });
  assert.ok(windows.includes('C:\\Program Files\\Microsoft\\Edge\\Application\\msedge.exe'));
});

test('what to install: by itself on Debian as root only', () => {
  const debian = parseOsRelease('ID=debian\nVERSION_ID="12"\n');
  const ubuntu = parseOsRelease('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n');
  assert.ok(browserPlan({ platform: 'linux', release: debian, root: true }).automatic);
  assert.not.ok(browserPlan({ platform: 'linux', release: debian, root: false }).automatic);
  const byHand = browserPlan({ platform: 'linux', release: ubuntu, root: true });
  assert.not.ok(byHand.automatic);
  assert.match(byHand.why.join(' '), /--no-browser.*google\.com\/chrome/s);
  for (const platform of ['darwin', 'win32']) {
    assert.match(browserPlan({ platform, release: parseOsRelease(''), root: false }).why.join(' '), /Install Chrome/);
  }
});

test.run();
