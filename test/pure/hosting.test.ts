/** The sample configurations for hosts fit the pages: `_headers`, and nginx itself where it is installed. */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('hosting');
const site = join('dist', 'web');
const folder = mkdtempSync(join(tmpdir(), 'romo-hosting-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

const IMMUTABLE = 'public, max-age=31536000, immutable';

test('_headers names only files that exist, and whose names have a hash', () => {
  const rules = [...readFileSync(join(site, '_headers'), 'utf8').matchAll(/^\/(\S+)\/\*\n {2}Cache-Control: (.+)$/gm)];
  assert.equal(
    rules.map(([, path, value]) => [path, value]),
    [['chunks', IMMUTABLE]],
  );
  for (const name of readdirSync(join(site, 'chunks'))) assert.match(name, /-[A-Z0-9]{8}\.(js|css)(\.map)?$/);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

const hasNginx = spawnSync('nginx', ['-v']).status === 0;
if (!hasNginx) console.log('hosting: nginx is not installed, its configuration is not tried');

(hasNginx ? test : test.skip)('nginx serves the pages from a folder, with types and caching', async () => {
  cpSync(site, join(folder, 'site'), { recursive: true });
  const port = await freePort();
  const locations = readFileSync('web/host/nginx.conf', 'utf8').replaceAll('/srv/romo/', `${folder}/site/`);
  const bodies = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const server = `server { listen 127.0.0.1:${port};\n${locations}\n}`;
  const http = `http { access_log off; ${bodies.join(' ')}\n${server}\n}`;
  const user = process.getuid?.() === 0 ? 'user root;' : ''; // whose files the folder has
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${user} daemon off; pid ${folder}/pid; error_log stderr; events {}\n${http}\n`,
  );
  const nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  nginx.stderr.on('data', (text) => {
    complaints += text;
  });
  const ended = new Promise((done) => nginx.once('close', done));
  try {
    const address = `http://127.0.0.1:${port}/romo/`;
    for (let tries = 0; !(await fetch(address).catch(() => null)); tries++) {
      assert.ok(tries < 200 && nginx.exitCode === null, `nginx does not answer: ${complaints}`);
      await new Promise((done) => setTimeout(done, 50));
    }
    const chunk = readdirSync(join(site, 'chunks')).find((name) => name.endsWith('.js'));
    for (const [path, type, caching] of [
      ['', 'text/html; charset=utf-8', 'no-cache'],
      ['train.html', 'text/html; charset=utf-8', 'no-cache'],
      ['search/main.js', 'text/javascript', 'no-cache'],
      ['search/page.css', 'text/css; charset=utf-8', 'no-cache'],
      ['search/model.safetensors', 'application/octet-stream', 'no-cache'],
      ['icon.svg', 'image/svg+xml', 'no-cache'],
      [`chunks/${chunk}`, 'text/javascript', IMMUTABLE],
    ]) {
      const { status, headers } = await fetch(address + path);
      assert.is(status, 200, path);
      assert.ok(headers.get('content-type')?.startsWith(type.split(';')[0]), `${path}: ${headers.get('content-type')}`);
      assert.is(headers.get('cache-control'), caching, path);
      assert.is(headers.get('x-content-type-options'), 'nosniff', path);
    }
    assert.is((await fetch(`${address}none.js`)).status, 404);
    assert.ok(!existsSync(join(folder, 'site', 'none.js')));
  } finally {
    nginx.kill();
    await ended;
  }
});

test.run();
