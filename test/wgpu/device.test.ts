/** The device in Deno; on its own, because one of its tests starts this file again. */
import '../gpu/device.test.ts';
