import { pressesOnceIn } from './pairs.ts';

await pressesOnceIn(4);
