/**
 * RGB-D Object (Lai et al., ICRA 2011): CLASS_INSTANCE_VIDEO_FRAME_crop.png with _maskcrop.png,
 * CLASS_INSTANCE_VIDEO_FRAME.pcd, in any subfolders of one folder. One instance of each class is held out, so that no
 * object is in both splits. Node only.
 */
import type { RomoError } from '../../tensor/error.ts';
import { badObject, type FoundSet, type FoundSplit, numberClasses, skippedOf, TooFewObjects } from './found.ts';
import type { PictureFile } from './picture_files.ts';
import { type Walked, type WalkedFile, walk, withoutCopies } from './walk.ts';

export interface RgbdOptions {
  /** Take every n-th frame of each video, since consecutive frames differ little. */
  readonly everyFrame: number;
  /** The instance of each class to hold out, counted from 1; in classes with fewer instances, the last one. */
  readonly heldOutInstance: number;
}

interface Frame {
  readonly name: string;
  readonly className: string;
  readonly instance: number;
  readonly video: number;
  readonly frame: number;
  crop?: WalkedFile;
  mask?: WalkedFile;
  cloud?: WalkedFile;
}

const NAME = /^(?:.*\/)?((.+)_(\d+)_(\d+)_(\d+))(_crop\.png|_maskcrop\.png|\.pcd)$/i;

const PARTS: Readonly<Record<string, 'crop' | 'mask' | 'cloud'>> = {
  '_crop.png': 'crop',
  '_maskcrop.png': 'mask',
  '.pcd': 'cloud',
};

export async function findRgbd(folder: string, options: RgbdOptions): Promise<FoundSet> {
  const { files, bad: unreadable, notes: walkNotes } = await walk(folder);
  const bad = [...unreadable];
  const frames = findFrames(files, bad);
  const pictured = frames.filter(({ crop }) => crop);
  if (pictured.length === 0) {
    throw new TooFewObjects(
      `rgbd: ${folder} has no CLASS_1_1_1_crop.png`,
      'Give the folder of RGB-D Object.',
      skippedOf(bad),
    );
  }
  const taken = everyNth(pictured, options.everyFrame);
  for (const { name, crop, mask, cloud } of taken) {
    const missing = [mask ? [] : [`${name}_maskcrop.png`], cloud ? [] : [`${name}.pcd`]].flat();
    if (missing.length > 0) {
      bad.push(
        badObject(`${crop?.path} has no partner: ${missing.join(' and ')} is missing`, 'Unpack the data set again.'),
      );
    }
  }
  const complete = taken.flatMap((frame) => {
    const { crop, mask, cloud } = frame;
    return crop && mask && cloud ? [{ ...frame, crop, mask, cloud, files: [crop, mask, cloud] }] : [];
  });
  const { kept: whole, notes: copyNotes } = withoutCopies(complete);
  const { classNames, labels } = numberClasses(whole.map(({ className }) => className));
  const held = heldOut(whole, options.heldOutInstance);
  const splitOf = (isHeld: boolean): FoundSplit => {
    const chosen = whole.map((frame, i) => ({ frame, label: labels[i] })).filter(({ frame }) => held(frame) === isHeld);
    const items = chosen.map(
      ({ frame }): PictureFile => ({
        image: frame.crop.path,
        mask: frame.mask.path,
        geometry: frame.cloud.path,
      }),
    );
    return {
      ids: chosen.map(({ frame }) => `${frame.className}/${frame.className}_${frame.instance}/${frame.name}`),
      labels: chosen.map(({ label }) => label),
      plan: { kind: 'files', items },
    };
  };
  const [train, test] = [splitOf(false), splitOf(true)];
  if (test.ids.length === 0) {
    throw new TooFewObjects(
      `rgbd: no class of ${folder} has two instances, so none can be held out`,
      'Add another instance of a class.',
      skippedOf(bad),
    );
  }
  const lone = classNames.filter((_, number) => !test.labels?.includes(number));
  const notes = [
    ...walkNotes,
    ...copyNotes,
    ...(frames.length > pictured.length
      ? [`${frames.length - pictured.length} clouds or masks without a picture`]
      : []),
    ...(pictured.length > taken.length ? [`${pictured.length - taken.length} frames between those taken`] : []),
    ...(lone.length > 0 ? [`classes of one instance, not held out: ${lone.join(', ')}`] : []),
  ];
  return {
    name: 'rgbd',
    classNames,
    mirror: true,
    rotation: { axis: 2, maxDegrees: 20 }, // about the line of sight, like the rotation of the pictures
    channels: 3,
    train,
    test,
    inOrder: false,
    bad,
    notes,
  };
}

/** All frames by class, instance, video and frame. */
function findFrames(files: Walked['files'], bad: RomoError[]): Frame[] {
  const frames = new Map<string, Frame>();
  for (const file of files) {
    const [, name, className, instance, video, number, ending] = NAME.exec(file.name) ?? [];
    if (!name) continue;
    const frame: Frame = frames.get(name) ?? {
      name,
      className,
      instance: Number(instance),
      video: Number(video),
      frame: Number(number),
    };
    frames.set(name, frame);
    const part = PARTS[ending.toLowerCase()];
    const known = frame[part];
    if (!known) frame[part] = file;
    else if (known.real !== file.real) {
      bad.push(badObject(`${file.path}: ${name} occurs twice, also as ${known.path}`, 'Remove one of them.'));
    }
  }
  return [...frames.values()].sort(
    (a, b) =>
      (a.className < b.className ? -1 : a.className > b.className ? 1 : 0) ||
      a.instance - b.instance ||
      a.video - b.video ||
      a.frame - b.frame,
  );
}

/** Every n-th of the existing frames, per video. */
function everyNth(frames: readonly Frame[], every: number): Frame[] {
  let position = 0;
  return frames.filter((frame, i) => {
    const previous = frames[i - 1];
    const isSameVideo =
      previous?.className === frame.className && previous.instance === frame.instance && previous.video === frame.video;
    position = isSameVideo ? position + 1 : 0;
    return position % every === 0;
  });
}

function heldOut(frames: readonly Frame[], which: number): (frame: Frame) => boolean {
  const instances = new Map<string, Set<number>>();
  for (const { className, instance } of frames) {
    const known = instances.get(className) ?? new Set();
    instances.set(className, known.add(instance));
  }
  const chosen = new Map<string, number>();
  for (const [className, known] of instances) {
    const sorted = [...known].sort((a, b) => a - b);
    if (sorted.length > 1) chosen.set(className, sorted[Math.min(which, sorted.length) - 1]);
  }
  return ({ className, instance }) => chosen.get(className) === instance;
}
