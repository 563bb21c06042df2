/** A pinhole camera: focal lengths and principal point in px. Pixel (u, v) with depth z is the point `((u - cx) z / fx, (v - cy) z / fy, z)`: x right, y down, z into the scene. */
export type Camera = { readonly fx: number; readonly fy: number; readonly cx: number; readonly cy: number };

/** Depth in metres along z, rows from the top; 0 = not known. `data.length = width * height`. */
export type DepthMap = { readonly width: number; readonly height: number; readonly data: Float32Array };

/** `to = rotation from + translation`, rotation row by row, translation in metres. */
export type RigidMotion = {
  readonly rotation: readonly number[];
  readonly translation: readonly [number, number, number];
};

/** How the two cameras of a Kinect stand to each other, and what each sees. */
export type DepthRig = { readonly depth: Camera; readonly colour: Camera; readonly depthToColour: RigidMotion };

/**
 * The rig of the 7-Scenes data set. The focal lengths are the data set's; the motion is the generic Kinect calibration that
 * the set's users apply to it (LIRIS, Université de Lyon), which lays depth edges on colour edges here.
 */
export const sevenScenesRig: DepthRig = {
  depth: { fx: 585, fy: 585, cx: 320, cy: 240 },
  colour: { fx: 525, fy: 525, cx: 320, cy: 240 },
  depthToColour: {
    rotation: [
      0.99996518, 0.0026765127, -0.0079041012, -0.0027409311, 0.99996303, -0.0081504521, 0.0078819942, 0.0081718329,
      0.99993555,
    ],
    translation: [-0.025558943, 0.00010109636, 0.0020318322],
  },
};

/**
 * Depth as the colour camera would have seen it: every depth pixel becomes a point, is moved into the colour camera and falls
 * on its nearest pixel; of several points on one pixel the nearest stands. Pixels that no point falls on stay unknown (0).
 */
export const registerDepth = (map: DepthMap, rig: DepthRig, width = map.width, height = map.height): DepthMap => {
  const { depth, colour, depthToColour } = rig;
  const [r0, r1, r2, r3, r4, r5, r6, r7, r8] = depthToColour.rotation as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [tx, ty, tz] = depthToColour.translation;
  const data = new Float32Array(width * height);
  for (let v = 0; v < map.height; v++) {
    for (let u = 0; u < map.width; u++) {
      const z = map.data[v * map.width + u] as number;
      if (!(z > 0)) continue;
      const x = ((u - depth.cx) * z) / depth.fx;
      const y = ((v - depth.cy) * z) / depth.fy;
      const depthThere = r6 * x + r7 * y + r8 * z + tz;
      if (!(depthThere > 0)) continue;
      const across = Math.round(colour.cx + (colour.fx * (r0 * x + r1 * y + r2 * z + tx)) / depthThere);
      const down = Math.round(colour.cy + (colour.fy * (r3 * x + r4 * y + r5 * z + ty)) / depthThere);
      if (across < 0 || across >= width || down < 0 || down >= height) continue;
      const known = data[down * width + across] as number;
      if (known === 0 || depthThere < known) data[down * width + across] = depthThere;
    }
  }
  return { width, height, data };
};
