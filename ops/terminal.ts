import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

export interface Terminal {
  /** Whether a person sits at it. */
  isInteractive: boolean;
  /** One line; undefined where the input has ended, or Ctrl-C was pressed. Hidden: no character of the answer is echoed. */
  ask(question: string, options?: { hidden?: boolean }): Promise<string | undefined>;
  close(): void;
}

type Input = NodeJS.ReadableStream & { isTTY?: boolean };

/** Questions go to `output`, which is not where results go. Opened with the first question: whoever reads the input himself asks none. */
export function terminal(input: Input, output: NodeJS.WritableStream): Terminal {
  // But for the time of an unhidden question: a password that is pasted along with the name before it is not shown either.
  let muted = true;
  let isClosed = false;
  const isInteractive = input.isTTY ?? false;
  let opened: { lines: ReturnType<typeof createInterface>; answers: AsyncIterator<string> } | undefined;
  const open = () => {
    const echo = new Writable({
      write(chunk, _encoding, done) {
        if (!muted) output.write(chunk);
        done();
      },
    });
    const lines = createInterface({ input, output: echo, terminal: isInteractive, historySize: 0 });
    lines.on('line', () => {
      muted = true;
    });
    lines.on('SIGINT', () => lines.close());
    lines.on('close', () => {
      isClosed = true;
    });
    return { lines, answers: lines[Symbol.asyncIterator]() };
  };
  return {
    isInteractive,
    async ask(question, { hidden = false } = {}) {
      opened ??= open();
      // Only an unhidden question at a terminal is readline's own: redrawing a hidden one would pass the muted output.
      const isOwn = isInteractive && !hidden;
      if (!isOwn) output.write(question);
      muted = hidden;
      opened.lines.setPrompt(isOwn ? question : '');
      // What was piped in before the end is still to be read.
      if (isInteractive && !isClosed) opened.lines.prompt();
      const { value, done } = await opened.answers.next();
      if (hidden || done) output.write('\n');
      return done ? undefined : value;
    },
    close: () => opened?.lines.close(),
  };
}
