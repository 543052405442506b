export async function measureCeilings() {}
