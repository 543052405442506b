/**
 * What a system without a usable WebGPU adapter has to install. Shared by `tools/setup.mjs`, which installs it, and
 * `tools/doctor.ts`, which prints it. These are pure functions from text to plans: they read no files and run nothing, so tests
 * can pass them any system.
 */

/** The packages of the Vulkan software driver (Mesa's lavapipe) and of the loader that finds it, in Debian and Ubuntu. */
const driverPackages = ['mesa-vulkan-drivers', 'libvulkan1'];

/** The file for a missing backports entry; it holds nothing else, so that removing it undoes the change. */
export const backportsFile = '/etc/apt/sources.list.d/romo-backports.list';

/** The few fields of `/etc/os-release` (os-release(5)) that matter here; an empty text gives empty fields. */
export function parseOsRelease(text) {
  const fields = {};
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Z0-9_]+)=(.*?)\s*$/.exec(line);
    if (match) fields[match[1]] = match[2].replace(/^(["'])(.*)\1$/, '$2');
  }
  return {
    id: fields.ID ?? '',
    idLike: (fields.ID_LIKE ?? '').split(/\s+/).filter(Boolean),
    version: fields.VERSION_ID ?? '',
    codename: fields.VERSION_CODENAME ?? '',
    name: fields.PRETTY_NAME ?? fields.NAME ?? fields.ID ?? '',
  };
}

/** Fields of a deb822 stanza, and the names of the same options in the one-line format. */
const optionFields = {
  'signed-by': 'signed-by',
  trusted: 'trusted',
  'check-valid-until': 'check-valid-until',
  architectures: 'arch',
};

/**
 * Package sources of apt, both formats of sources.list(5).
 * @param files [{ path, text }]; a path that ends in `.sources` is read as deb822, any other as one entry per line.
 * @returns enabled binary entries [{ uri, suites, components, options }], where options is { 'signed-by': ..., ... }.
 */
export function parseSources(files) {
  return files.flatMap(({ path, text }) => (path.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text)));
}

function parseOneLine(text) {
  const entries = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)/.exec(line);
    if (!match) continue;
    const [, optionText = '', uri, suite, components] = match;
    const options = {};
    for (const option of optionText.split(/\s+/).filter(Boolean)) {
      const equals = option.indexOf('=');
      if (equals > 0) options[option.slice(0, equals)] = option.slice(equals + 1);
    }
    entries.push({ uri, suites: [suite], components: components.split(/\s+/).filter(Boolean), options });
  }
  return entries;
}

function parseDeb822(text) {
  const entries = [];
  const withoutComments = text.replace(/\r/g, '').replace(/^#.*\n?/gm, '');
  for (const stanza of withoutComments.split(/\n[ \t]*\n+/)) {
    const fields = {};
    for (const match of stanza.matchAll(/^([A-Za-z-]+):((?:.*)(?:\n[ \t]+.*)*)/gm)) {
      fields[match[1].toLowerCase()] = match[2].trim();
    }
    const words = (name) => (fields[name] ?? '').split(/\s+/).filter(Boolean);
    if (!words('types').includes('deb') || /^(no|false|off|0)$/i.test(fields.enabled ?? 'yes')) continue;
    const options = {};
    for (const [field, option] of Object.entries(optionFields)) {
      // A key embedded in the stanza cannot be written in one line; apt then uses the keys that it trusts anyway.
      if (fields[field] && !fields[field].includes('BEGIN PGP')) options[option] = words(field).join(',');
    }
    for (const uri of words('uris')) {
      entries.push({ uri, suites: words('suites'), components: words('components'), options });
    }
  }
  return entries;
}

/** The sources line for Debian's backports on the mirror that this machine already uses, or null if there is none. */
export function backportsLine(sources, codename) {
  const offersMain = (entry) => entry.components.includes('main') && !entry.uri.startsWith('cdrom:');
  const named = (suite) => sources.find((entry) => offersMain(entry) && entry.suites.includes(suite));
  const mirror = named(codename) ?? named(`${codename}-updates`);
  if (!mirror) return null;
  const options = Object.entries(mirror.options).map(([name, value]) => `${name}=${value}`);
  const bracket = options.length > 0 ? `[${options.join(' ')}] ` : '';
  return `deb ${bracket}${mirror.uri} ${codename}-backports main`;
}

/**
 * What to do on a machine without a WebGPU adapter.
 * @param machine { platform: process.platform, release: parseOsRelease(...), sources: parseSources(...), root: boolean }
 * @returns { why, steps, automatic }: sentences; steps of { write: path, text } or { run: [command, ...arguments] };
 *   whether the set-up may run the steps itself (Debian and Ubuntu releases known to work, as root).
 */
export function plan({ platform, release, sources, root }) {
  const byHand = (why, ...commands) => ({
    why,
    steps: commands.map((command) => ({ run: command })),
    automatic: false,
  });
  if (platform === 'darwin') {
    return byHand([
      'On macOS, WebGPU runs on Metal, which is part of the system: update macOS, and use a Mac that supports Metal.',
    ]);
  }
  if (platform === 'win32') {
    return byHand([
      'On Windows, WebGPU runs on Direct3D 12, which comes with Windows 10 and 11: update Windows and the graphics driver.',
    ]);
  }
  if (platform !== 'linux')
    return byHand([`The \`webgpu\` package has no build for ${platform}; use Linux, macOS or Windows.`]);

  const family = (id) => release.id === id || release.idLike.includes(id);
  const software = 'No WebGPU adapter works here. Mesa has a Vulkan driver that runs on the CPU (lavapipe).';
  if (family('fedora') || family('rhel')) {
    return byHand([software], ['dnf', 'install', '-y', 'mesa-vulkan-drivers', 'vulkan-loader']);
  }
  if (family('arch')) return byHand([software], ['pacman', '-S', '--needed', 'vulkan-swrast', 'vulkan-icd-loader']);
  if (!family('debian') && !family('ubuntu')) {
    return byHand([
      software,
      "Install Mesa 24 or newer with its Vulkan drivers, and the Vulkan loader, with your system's package manager.",
    ]);
  }

  const install = (...options) => [
    { run: ['apt-get', 'update'] },
    { run: ['apt-get', 'install', '-y', '--no-install-recommends', ...options, ...driverPackages] },
  ];
  if (release.id === 'debian' && release.version === '12') {
    const suite = `${release.codename}-backports`;
    const why = [
      software,
      `Debian 12's own Mesa 22.3 lacks what WebGPU needs, so the driver comes from ${suite} (Mesa 25).`,
    ];
    const steps = install('-t', suite);
    const present = sources.some((entry) => entry.suites.includes(suite) && entry.components.includes('main'));
    if (present) return { why, steps, automatic: root };
    const line = backportsLine(sources, release.codename);
    if (!line) {
      why.push(`No Debian mirror was found in apt's sources: first add ${suite} of your mirror there, then run:`);
      return { why, steps, automatic: false };
    }
    return { why, steps: [{ write: backportsFile, text: `${line}\n` }, ...steps], automatic: root };
  }
  const number = Number.parseFloat(release.version);
  const oldest = { debian: 13, ubuntu: 24.04 }[release.id];
  // Debian testing and unstable have no version number.
  const known = oldest !== undefined && (number >= oldest || (release.id === 'debian' && release.version === ''));
  if (known) return { why: [software], steps: install(), automatic: root };
  const why = [software];
  if (number < oldest) why.push(`${release.name} may be too old: Debian 12, Ubuntu 24.04 and newer are known to work.`);
  return { why, steps: install(), automatic: false };
}

/** A step as a shell command; with `sudo`, the parts that need root are prefixed with it. */
export function shellLine(step, sudo = false) {
  const quote = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
  if (step.run) return [...(sudo ? ['sudo'] : []), ...step.run].map(quote).join(' ');
  return `echo ${quote(step.text.trimEnd())} | ${sudo ? 'sudo ' : ''}tee ${step.write}`;
}

/** The plan in words for a terminal: the reasons, then the commands to type. */
export function advice(machine) {
  const { why, steps } = plan(machine);
  const lines = [...why];
  if (steps.length > 0) lines.push('Type:', ...steps.map((step) => `    ${shellLine(step, !machine.root)}`));
  if (machine.platform === 'linux') {
    lines.push(
      "A GPU is far faster with its own Vulkan driver: `mesa-vulkan-drivers` for AMD and Intel, NVIDIA's own driver for NVIDIA",
      '(in a container, start it with NVIDIA_DRIVER_CAPABILITIES=all, and add `libegl1 libgl1 libxext6`). Each needs the Vulkan',
      'loader `libvulkan1`.',
    );
  }
  return lines;
}

/** Variables that make the Vulkan loader look for drivers outside the places where systems install them. */
export const driverVariables = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'];

/** The environment without those variables. */
export function withoutDriverVariables(environment) {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !driverVariables.includes(name)));
}

/**
 * The kind of an adapter, guessed from its info (GPUAdapterInfo), because WebGPU does not state it for every adapter.
 * @returns 'software', 'integrated GPU' or 'GPU'
 */
export function adapterKind(info) {
  const text = [info.vendor, info.architecture, info.device, info.description].join(' ').toLowerCase();
  if (info.isFallbackAdapter || /llvmpipe|lavapipe|swiftshader|software|basic render|\bwarp\b/.test(text))
    return 'software';
  if (/\bapple\b/.test(text)) return 'integrated GPU';
  if (/\bintel\b/.test(text)) return /\barc\b/.test(text) ? 'GPU' : 'integrated GPU';
  if (/radeon(\(tm\))?( \d+m)? graphics/.test(text)) return 'integrated GPU';
  return 'GPU';
}

/** Versions of lavapipe's parts that all tests of this project pass with. */
export const KNOWN_GOOD = { mesa: '25.0.7', llvm: '15.0.6' };

/** The versions in a description such as "llvmpipe: Mesa 25.0.7-2 (LLVM 15.0.6)"; null for other drivers. */
export function mesaVersions(description) {
  const mesa = /Mesa ([\d.]+)/.exec(description)?.[1];
  const llvm = /LLVM ([\d.]+)/.exec(description)?.[1];
  return mesa ? { mesa, llvm: llvm ?? null } : null;
}
