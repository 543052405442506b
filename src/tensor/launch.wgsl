// Appended to every kernel file that calls `groupOf` or `indexOf`: the number of a workgroup, or of an invocation, in its
// launch. A grid of more than 65,535 workgroups is folded into rows, and a launch that would take long is cut into
// dispatches of equal grids (pace.ts). A kernel notices neither, but for numbers past the end.

@group(1) @binding(0) var<uniform> dispatch: u32; // its number among those of the launch

// For kernels with barriers and subgroup operations. Both are uniform across a workgroup. The lane is not, and stays out
// of the struct: WGSL's uniformity analysis looks at a struct as a whole.
struct Group {
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
}
fn groupOf(group: Group) -> u32 {
  return (dispatch * group.count.y + group.id.y) * group.count.x + group.id.x;
}

struct Launch {
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
}
fn indexOf(launch: Launch) -> u32 {
  return groupOf(Group(launch.group, launch.groups)) * 64u + launch.local;
}
