/** `npm run ops -- <command>`: what an operator does by hand, with the operator's own credentials. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { doctor } from './doctor.ts';
import { events } from './events.ts';
import { asOpsError, exitCodes } from './failure.ts';
import { init, parts } from './init.ts';
import { preflight } from './preflight.ts';
import { adopt, rotate } from './rotate.ts';
import { type CommonOptions, openSession, type Session } from './session.ts';
import { status } from './status.ts';
import { terminal } from './terminal.ts';

const isJson = process.argv.includes('--json');

/** Resolves to false where something is wrong. */
type Action<Options> = (session: Session, options: Options, names: string[]) => Promise<unknown>;

/** Opens a session for a command and turns its end into the exit code. */
function running<Options>(action: Action<Options>) {
  return async (...given: unknown[]) => {
    const command = given.at(-1) as Command;
    const options = command.optsWithGlobals<Options & CommonOptions>();
    const console = terminal(process.stdin, process.stderr);
    try {
      const isWell = await action(openSession(options, console), options, command.args);
      process.exitCode = exitCodes[isWell === false ? 'trouble' : 'done'][0];
    } finally {
      console.close();
    }
  };
}

/** A timer takes no more than 24 days. */
function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 30_000) return value;
  throw new InvalidArgumentError('A number above 0 is meant, and 30000 at most.');
}

const program = new Command('npm run ops --')
  .description(
    'Sees to a client secret that rotates. It goes by your AWS credentials, and presses nothing that was not confirmed.',
  )
  .option('--secret <arn>', 'the rotated secret, by ARN or name')
  .option('--function <name>', 'the rotation function (default: the one that is set on the secret)')
  .option('--topic <arn>', 'the topic of the events (default: the one of the function)')
  .option('--profile <name>', 'a profile of your AWS configuration')
  .option('--region <name>', 'default: the region in the ARN, else that of your AWS configuration')
  .option('--json', 'one JSON object a line in place of text')
  .option('--yes', 'goes on without the typed confirmation')
  .configureHelp({ showGlobalOptions: true })
  .showHelpAfterError('--help tells more')
  .exitOverride();

program
  .command('init')
  .description(
    'stores the login and the client: asks for them, or reads {"login": {…}, "client": {…}} from the standard input',
  )
  .option('--login-secret <arn>', 'where the login goes (default: login_secret_arn of the rotated secret)')
  .option('--bridge-secret <arn>', 'the bridge secret (default: bridge_secret_arn of the rotated secret)')
  .addOption(new Option('--only <part>', 'stores one of the two').choices(parts))
  .action(running(init));

program.command('status').description('labels, versions, ages, next rotation, last events').action(running(status));

program
  .command('preflight')
  .description('has the function look whether a rotation would succeed; presses nothing')
  .option('--save <file>', 'writes the report, as JSON')
  .action(running(preflight));

const wait = () => new Option('--wait-minutes <n>', 'how long it is followed').argParser(positive).default(30);

program
  .command('rotate')
  .description('rotates now, once confirmed, and follows it')
  .addOption(wait())
  .action(running(rotate));

program
  .command('adopt')
  .description('stores what the portal shows, and follows that; never presses')
  .addOption(wait())
  .action(running(adopt));

program
  .command('doctor')
  .description('finds stuck states and explains them; repairs what is confirmed; never presses')
  .argument('[findings...]', 'repairs these only (default: all)')
  .action(running((session, _options, names) => doctor(session, names)));

program
  .command('events')
  .description('follows the events, through a queue that is removed at the end')
  .option('--count <n>', 'ends after so many', positive)
  .option('--minutes <n>', 'ends after so long', positive)
  .action(running(events));

const codes = Object.values(exitCodes).map(([code, meaning]) => `  ${code}  ${meaning}`);
program.addHelpText('after', ['', 'Exit codes:', ...codes].join('\n'));
for (const command of program.commands) command.addHelpText('after', ['', 'Exit codes:', ...codes].join('\n'));

process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code !== 'EPIPE') process.stderr.write(`${message}\n`);
  // Where nobody reads any more, as after `| head`, all ends as it does when it is interrupted.
  process.kill(process.pid, 'SIGTERM');
});

try {
  await program.parseAsync();
} catch (thrown) {
  if (thrown instanceof CommanderError) {
    // It has said so itself.
    process.exitCode = thrown.exitCode === 0 ? 0 : exitCodes.usage[0];
  } else {
    const { exit, message, next } = asOpsError(thrown, program.opts<CommonOptions>().profile);
    process.stderr.write(isJson ? `${JSON.stringify({ error: message, next })}\n` : `${message}\nNext: ${next}\n`);
    process.exitCode = exitCodes[exit][0];
  }
}
