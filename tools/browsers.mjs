/** Finds a browser with WebGPU (Chrome, Chromium, Edge) and the software adapter SwiftShader that comes with it. */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** The variable that names a browser in an unusual place. */
export const browserVariable = 'ROMO_BROWSER';

const names = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'chrome',
  'microsoft-edge-stable',
  'microsoft-edge',
];

/** Where browsers may be, best first: the variable, then the search path, then the system's usual places. */
export function browserPlaces({ platform, environment }) {
  const named = environment[browserVariable];
  if (named) return [named];
  if (platform === 'darwin') {
    return ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
      (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
    );
  }
  if (platform === 'win32') {
    const folders = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA']
      .map((name) => environment[name])
      .filter(Boolean);
    const programs = [
      'Google\\Chrome\\Application\\chrome.exe',
      'Chromium\\Application\\chrome.exe',
      'Microsoft\\Edge\\Application\\msedge.exe',
    ];
    return programs.flatMap((program) => folders.map((folder) => `${folder}\\${program}`));
  }
  const folders = (environment.PATH ?? '').split(delimiter).filter(Boolean);
  return [
    ...names.flatMap((name) => folders.map((folder) => join(folder, name))),
    '/opt/google/chrome/chrome',
    '/opt/microsoft/msedge/msedge',
  ];
}

/** The first browser that exists, or null. */
export function findBrowser({ platform = process.platform, environment = process.env, exists = existsSync } = {}) {
  return browserPlaces({ platform, environment }).find((path) => exists(path)) ?? null;
}

const icdName = 'vk_swiftshader_icd.json';

/**
 * The driver file of the SwiftShader that comes with a browser, for the variable VK_DRIVER_FILES; null if there is none.
 * It is next to the program, or in a folder for the version or framework below it.
 */
export function findSwiftShader(browser) {
  const beside = dirname(realpathSync(browser));
  // Debian starts chromium through a script in /usr/bin; macOS keeps libraries in the framework.
  const folders = [
    beside,
    '/usr/lib/chromium',
    '/usr/lib64/chromium-browser',
    '/opt/google/chrome',
    join(beside, '..', 'Frameworks'),
  ];
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    if (existsSync(join(folder, icdName))) return join(folder, icdName);
    if (folder.endsWith('bin')) continue;
    const found = readdirSync(folder, { recursive: true }).find((name) => name.endsWith(icdName));
    if (found) return join(folder, found);
  }
  return null;
}

/**
 * What to do on a machine without a browser; see `plan` in systems.mjs.
 * @returns { why, steps, automatic }
 */
export function browserPlan({ platform, release, root }) {
  const why = [
    'No Chrome, Chromium or Edge was found. The tests compare what Node and a browser compute, bit by bit, on the software',
    `adapter that comes with these browsers. Set ${browserVariable} to a browser in an unusual place, or skip the comparison with --no-browser.`,
  ];
  const install = (...command) => ({ why, steps: [{ run: command }], automatic: false });
  if (platform !== 'linux')
    return { why: [...why, 'Install Chrome: https://www.google.com/chrome/'], steps: [], automatic: false };
  if (release.id === 'debian') {
    const steps = [
      { run: ['apt-get', 'update'] },
      { run: ['apt-get', 'install', '-y', '--no-install-recommends', 'chromium'] },
    ];
    return { why, steps, automatic: root };
  }
  if (release.id === 'fedora') return install('dnf', 'install', '-y', 'chromium');
  if (release.id === 'arch') return install('pacman', '-S', '--needed', 'chromium');
  // Ubuntu's package is an empty placeholder for a snap, which runs in its own sandbox.
  return { why: [...why, 'Install Chrome: https://www.google.com/chrome/'], steps: [], automatic: false };
}
