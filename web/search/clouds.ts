/** Rotating clouds: one WebGL canvas behind all cards, with a viewport for each. */
import {
  type Box3,
  BufferAttribute,
  BufferGeometry,
  CanvasTexture,
  Color,
  Fog,
  PerspectiveCamera,
  Points,
  PointsMaterial,
  Scene,
  type Sphere,
  WebGLRenderer,
} from 'three';
import { colour, onThemeChange, wantsStillness } from '../shared/page.ts';

export interface Slot {
  /** where the cloud appears on the page */
  readonly element: HTMLElement;
  readonly cloud: Float32Array;
}

/**
 * Full turns per second, and how long a frame is shown: turning slowly needs no more, and the encoders want the GPU
 * too.
 */
const SPEED = 0.08;
const FRAME = 1000 / 30;
/** Size of a point, as a fraction of a card's width. */
const POINT = 0.017;
/** Distances from the camera between which points fade into the card: depth becomes visible. */
const FADE: readonly [number, number] = [2.45, 3.9];

/** A round dot, so that points are not squares. */
function dot(): CanvasTexture {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 32;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  context.fillStyle = '#fff';
  context.arc(16, 16, 15, 0, 7);
  context.fill();
  return new CanvasTexture(canvas);
}

export class CloudStage {
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(26, 1, 0.1, 10);
  private readonly material: PointsMaterial;
  private slots: { element: HTMLElement; points: Points; phase: number }[] = [];
  private frame = 0;
  private drawnAt = 0;
  private isResting = false;

  /** @throws Error if the browser has no WebGL */
  constructor(private readonly canvas: HTMLCanvasElement) {
    this.renderer = new WebGLRenderer({ canvas, alpha: true, powerPreference: 'low-power' });
    this.renderer.setScissorTest(true);
    this.camera.up.set(0, 0, 1);
    this.camera.position.set(2.75, 0, 0.95);
    this.camera.lookAt(0, 0, 0);
    this.material = new PointsMaterial({ sizeAttenuation: false, map: dot(), alphaTest: 0.5, vertexColors: true });
    new ResizeObserver(() => this.request()).observe(canvas);
    addEventListener('scroll', () => this.request(), { passive: true });
    this.scene.fog = new Fog(colour('raised'), ...FADE);
    onThemeChange(() => {
      this.scene.fog = new Fog(colour('raised'), ...FADE);
      for (const { points } of this.slots) paint(points.geometry);
      this.request();
    });
  }

  show(slots: readonly Slot[]): void {
    for (const { points } of this.slots) points.geometry.dispose();
    this.slots = slots.map(({ element, cloud }, i) => {
      const geometry = new BufferGeometry();
      geometry.setAttribute('position', new BufferAttribute(cloud.slice(), 3));
      geometry.computeBoundingSphere();
      const { center, radius } = geometry.boundingSphere as Sphere;
      geometry.translate(-center.x, -center.y, -center.z).scale(0.56 / radius, 0.56 / radius, 0.56 / radius);
      geometry.setAttribute('color', new BufferAttribute(new Float32Array(cloud.length), 3));
      paint(geometry);
      return { element, points: new Points(geometry, this.material), phase: 0.6 + i * 0.35 };
    });
    this.request();
  }

  /** The clouds stop while a search runs, so that it has the GPU to itself. */
  rest(isResting: boolean): void {
    this.isResting = isResting;
    if (!isResting) this.request();
  }

  /** Draws at the next frame; repeats while clouds rotate. A hidden tab gets no frames. */
  private request(): void {
    this.frame ||= requestAnimationFrame((time) => {
      this.frame = 0;
      const isTurning = this.slots.length > 0 && !wantsStillness() && !this.isResting;
      if (!isTurning || time - this.drawnAt > FRAME) {
        this.drawnAt = time;
        this.draw(time);
      }
      if (isTurning) this.request();
    });
  }

  private draw(time: number): void {
    const { renderer, canvas, scene, camera } = this;
    const area = canvas.getBoundingClientRect();
    const ratio = Math.min(2, devicePixelRatio);
    if (canvas.width !== Math.round(area.width * ratio) || canvas.height !== Math.round(area.height * ratio)) {
      renderer.setPixelRatio(ratio);
      renderer.setSize(area.width, area.height, false);
    }
    renderer.setScissor(0, 0, area.width, area.height);
    renderer.clear();
    for (const { element, points, phase } of this.slots) {
      const at = element.getBoundingClientRect();
      // Draw one window's height beyond the window too, so that a quick scroll shows no empty cards.
      if (at.bottom < -innerHeight || at.top > 2 * innerHeight || at.width === 0) continue;
      const [left, bottom] = [at.left - area.left, area.bottom - at.bottom];
      renderer.setViewport(left, bottom, at.width, at.height);
      renderer.setScissor(left, bottom, at.width, at.height);
      this.material.size = at.width * POINT;
      points.rotation.z = phase + (wantsStillness() ? 0 : (time / 1000) * SPEED * 2 * Math.PI);
      scene.add(points);
      renderer.render(scene, camera);
      scene.remove(points);
    }
    canvas.style.visibility = 'visible'; // some browsers show the canvas black before its first frame
  }
}

/** Colours the points by height. */
function paint(geometry: BufferGeometry): void {
  const [low, high] = [new Color(colour('cloud-low')), new Color(colour('cloud'))];
  const position = geometry.getAttribute('position');
  const colours = geometry.getAttribute('color');
  const mixed = new Color();
  geometry.computeBoundingBox();
  const { min, max } = geometry.boundingBox as Box3;
  for (let i = 0; i < position.count; i++) {
    mixed.lerpColors(low, high, (position.getZ(i) - min.z) / (max.z - min.z || 1));
    colours.setXYZ(i, mixed.r, mixed.g, mixed.b);
  }
  colours.needsUpdate = true;
}
