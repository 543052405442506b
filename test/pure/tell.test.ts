/** The message that all pages share: where the self-test failed, it links to the page that examines the adapter. */
import { parseHTML } from 'linkedom';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tell } from '../../web/shared/page.ts';

test('a message is plain text, but for the name of the Check page', () => {
  const { document } = parseHTML('<div id="message" hidden><p></p><button>Close</button></div>');
  Object.assign(globalThis, { document });
  const box = document.getElementById('message') as HTMLElement;
  tell('<b>a</b> is broken');
  assert.is(box.hidden, false);
  assert.is(box.querySelector('p')?.innerHTML, '&lt;b&gt;a&lt;/b&gt; is broken');
  tell('wrong numbers. Report it with the page check.html or doctor.');
  const link = '<a href="check.html">check.html</a>';
  assert.is(box.querySelector('p')?.innerHTML, `wrong numbers. Report it with the page ${link} or doctor.`);
  tell('');
  assert.is(box.hidden, true);
});

test.run();
