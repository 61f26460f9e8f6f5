import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { terminal } from '../../ops/terminal.ts';

function atTerminal() {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = new PassThrough();
  const printed: string[] = [];
  output.on('data', (chunk: Buffer) => printed.push(chunk.toString()));
  return { input, asked: terminal(input, output), screen: () => printed.join('') };
}

it('a hidden answer reaches no screen, not while it is typed nor when it is corrected; another one does', async () => {
  const { input, asked, screen } = atTerminal();
  const hidden = asked.ask('Say: ', { hidden: true });
  for (const keys of ['swordx', '\x7f', 'fish\r']) input.write(keys);
  expect(await hidden).toBe('swordfish');
  expect(screen()).toContain('Say: ');
  expect(screen().replace('Say: ', '')).not.toMatch(/[swordfihx]/);
  const shown = asked.ask('Name: ');
  input.write('swordfish\r');
  expect(await shown).toBe('swordfish');
  expect(screen()).toMatch(/Name: .*swordfish/s);
  asked.close();
});

it('what is typed ahead of a hidden question is hidden too', async () => {
  const { input, asked, screen } = atTerminal();
  const name = asked.ask('Name: ');
  input.write('mole\rswordfish\rmole\r');
  expect(await name).toBe('mole');
  expect(await asked.ask('Say: ', { hidden: true })).toBe('swordfish');
  expect(await asked.ask('Name: ')).toBe('mole');
  asked.close();
  expect(screen()).toContain('mole');
  expect(screen()).not.toMatch(/sword|fish/);
});

it('Ctrl-C and the end of the input are no answer', async () => {
  const { input: keys, asked } = atTerminal();
  const broken = asked.ask('Say: ', { hidden: true });
  for (const key of ['half', '\x03']) keys.write(key);
  expect(await broken).toBeUndefined();
  const input = new PassThrough();
  const empty = terminal(input, new PassThrough());
  input.end();
  expect(empty.isInteractive).toBe(false);
  expect(await empty.ask('Name: ')).toBeUndefined();
  expect(await empty.ask('Name: ')).toBeUndefined();
});

it('what is piped in answers one question a line, whenever it came', async () => {
  const input = new PassThrough();
  const piped = terminal(input, new PassThrough());
  input.end('one\ntwo\n');
  expect([await piped.ask('1? '), await piped.ask('2? '), await piped.ask('3? ')]).toEqual(['one', 'two', undefined]);
});
