/** What CommonJS packages expect inside an ES module: esbuild puts these where they are used. */
import { createRequire } from 'node:module';

export const require = createRequire(import.meta.url);
export const __filename = import.meta.filename;
export const __dirname = import.meta.dirname;
