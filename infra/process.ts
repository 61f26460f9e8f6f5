/** Stands for `node:process` in the bundle: as a module that reads each of its getters, and so opens standard input. */
export const { env, versions } = process;
