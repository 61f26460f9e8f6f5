/** The commands that the pages tell people to run, held to the programs themselves. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Each line of the page's `sh` blocks, without its comment. */
export function commandsOf(page: string): string[] {
  const blocks = [...page.matchAll(/^ *```sh\n(.*?)^ *```$/gms)].map(([, block = '']) => block);
  return blocks
    .flatMap((block) => block.split('\n').map((line) => line.replace(/\s#.*/, '').trim()))
    .filter((line) => line !== '');
}

/** What is wrong with a command; undefined where a person can run it. Nothing is run but help texts. */
export async function faultIn(command: string): Promise<string | undefined> {
  const [program, ...words] = command.match(/"[^"]*"|\S+/g) ?? [];
  if (program === 'npm') return faultInNpm(words);
  if (program === 'npx' && words[0] === 'cdk') return faultInCdk(words.slice(1));
  if (program === 'aws') return faultInAws(words);
  return `nobody knows ${program}`;
}

const optionsOf = (words: string[]) => words.filter((word) => word.startsWith('--'));

async function faultInNpm([verb = '', ...words]: string[]): Promise<string | undefined> {
  const { scripts, ...manifest } = JSON.parse(readFileSync('package.json', 'utf8'));
  switch (verb) {
    case 'ci':
      return undefined;
    case 'test':
      return scripts.test ? undefined : 'there is no script test';
    case 'outdated':
    case 'install': {
      const names = words.filter((word) => !word.startsWith('-')).map((word) => word.replace(/@latest$/, ''));
      return names.find((name) => !manifest.dependencies[name]);
    }
    case 'run': {
      const [script = '', dashes, name = '', ...rest] = words;
      if (script !== 'ops') return scripts[script] ? undefined : `there is no script ${script}`;
      if (scripts.ops !== 'node ops/ops.ts' || dashes !== '--') return 'npm run ops -- <command> is meant';
      const help = await helpOf(process.execPath, ['ops/ops.ts', name]);
      return missing(optionsOf(rest), help);
    }
    default:
      return `npm ${verb} is not known here`;
  }
}

async function faultInCdk([verb = '', ...words]: string[]): Promise<string | undefined> {
  const help = await helpOf(process.execPath, ['node_modules/aws-cdk/bin/cdk', ...(words.length > 0 ? [verb] : [])]);
  return words.length > 0 || help.includes(`cdk ${verb} `) ? missing(optionsOf(words), help) : `cdk has no ${verb}`;
}

const helps = new Map<string, Promise<string>>();

function helpOf(program: string, words: string[]): Promise<string> {
  const key = words.join(' ');
  const help = helps.get(key) ?? run(program, [...words, '--help']).then(({ stdout }) => stdout);
  helps.set(key, help);
  return help;
}

function missing(options: string[], help: string): string | undefined {
  const option = options.find((each) => !new RegExp(`${each}(?![\\w-])`).test(help));
  return option && `there is no ${option}`;
}

/** Of services whose SDK is not installed: operations with their parameters. @see the services' API references */
const otherServices: Record<string, Record<string, readonly string[]>> = {
  sts: { GetCallerIdentity: [] },
  cloudformation: { DescribeStacks: ['StackName'], ListStackResources: ['StackName'] },
  kms: { ScheduleKeyDeletion: ['KeyId', 'PendingWindowInDays'] },
  logs: { DeleteLogGroup: ['logGroupName'] },
};

/** Of the AWS CLI itself. @see AWS CLI user guide, "Command line options" */
const globalOptions = ['--query', '--output', '--region', '--profile'];

async function faultInAws([service = '', operation = '', ...words]: string[]): Promise<string | undefined> {
  const name = operation.replace(/(?:^|-)(\w)/g, (_all, letter: string) => letter.toUpperCase());
  const parameters = await parametersOf(service, name);
  if (!parameters) return `aws ${service} has no ${operation}`;
  const known = new Set(
    parameters.flatMap((parameter) => [optionOf(parameter), `--no-${optionOf(parameter).slice(2)}`]),
  );
  const option = optionsOf(words).find((each) => !known.has(renamed[each] ?? each) && !globalOptions.includes(each));
  return option && `aws ${service} ${operation} has no ${option}`;
}

const optionOf = (parameter: string) =>
  `--${parameter.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-').toLowerCase()}`;

/** What the CLI calls otherwise than the SDK does. */
const packages: Record<string, string> = { secretsmanager: 'secrets-manager' };
const renamed: Record<string, string> = { '--notification-endpoint': '--endpoint' };

/** By the schema of the operation in the SDK. */
async function parametersOf(service: string, operation: string): Promise<readonly string[] | undefined> {
  const other = otherServices[service];
  if (other) return other[operation];
  const client = (await import(`@aws-sdk/client-${packages[service] ?? service}`).catch(() => ({}))) as Record<
    string,
    unknown
  >;
  const schema = client[`${operation}$`] as [number, string, string, unknown, () => readonly unknown[]] | undefined;
  return schema?.[4]()[4] as readonly string[] | undefined;
}

/** The links of a page that lead nowhere. `path` is the page's own. */
export function deadLinks(path: string): string[] {
  const page = readFileSync(path, 'utf8');
  return [...page.matchAll(/\]\(([^)]+)\)/g)].flatMap(([, link = '']) => {
    if (link.startsWith('https://')) return [];
    const [target = '', anchor] = link.split('#');
    const url = new URL(target, `file:///${path}`).pathname.slice(1);
    try {
      const text = target ? readFileSync(url, 'utf8') : page;
      return anchor === undefined || anchorsOf(text).includes(anchor) ? [] : [link];
    } catch {
      return [link];
    }
  });
}

/** @see GitHub: a heading's anchor */
const anchorsOf = (page: string) =>
  [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
