/** The errors that the code can throw, as its source tells them: docs/runbook.md has a row for each. */
import { readdirSync, readFileSync } from 'node:fs';
import { parseAst } from 'vitest/node';

/** Each text is what the source says of it; what differs each time is `…`. */
export interface ThrownError {
  category: string;
  what: string;
  retryable: string;
  pressed: string;
  action: string;
}

/** @see estree/estree: what is used of it */
interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

/** What names mean at a place in the source. */
interface Scope {
  names: Map<string, Meaning>;
  outer: Scope | undefined;
}

/** What a name was given, and where; of a function's parameter, each call says so. */
type Meaning = Value | { parameter: string; of: Node } | undefined;

interface Value {
  node: Node;
  scope: Scope;
}

/** What the parameters of functions are in one call of each. */
type Calling = ReadonlyMap<Node, ReadonlyMap<string, Value>>;

interface Call {
  callee: Node;
  arguments: Node[];
  scope: Scope;
}

const differs = '…';
const or = ' or ';
const keys = ['category', 'what', 'retryable', 'pressed', 'action'] as const;

/**
 * Every error that these sources make by `new RotationError({ … })`, by a class of its kind, by `asRotationError`, or by a function that
 * does so with what it is given.
 *
 * @returns each once; of a message that may go on, the part that is always there
 * @throws {Error} where an error is made in a way that is not understood here
 */
export function thrownErrors(sources: readonly string[]): ThrownError[] {
  const world = new World();
  for (const source of sources) world.read(source);
  const errors = world.made.flatMap(({ scope, fields }) => world.instances(fields, scope));
  const alike = Map.groupBy(errors, ({ category, what, retryable, action }) =>
    JSON.stringify([category, what, retryable, action]),
  );
  const once = [...alike.values()].flatMap(([error, ...others]) => {
    const pressed = [error, ...others].flatMap((each) => each?.pressed.split(or) ?? []);
    return error ? [{ ...error, pressed: [...new Set(pressed)].toSorted().join(or) }] : [];
  });
  const goesOnFrom = (longer: ThrownError, { category, what, action }: ThrownError) =>
    what !== differs &&
    what !== longer.what &&
    longer.what.startsWith(what) &&
    longer.category === category &&
    longer.action === action;
  return once.filter((longer) => !once.some((error) => goesOnFrom(longer, error)));
}

/** The sources of the steps, the adapters to AWS and the handler; the driver's errors are docs/portal.md's. */
export function rotationSources(): string[] {
  const folders = ['lambda/rotation', 'lambda/aws'];
  const paths = folders.flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`));
  return [...paths.toSorted(), 'lambda/handler.ts']
    .filter((path) => path !== 'lambda/rotation/rotation-error.ts')
    .map((path) => readFileSync(path, 'utf8'));
}

class World {
  readonly made: { scope: Scope; fields: Map<string, Node> }[] = [];
  readonly #calls: Call[] = [];
  readonly #exported: Scope = { names: new Map(), outer: undefined };
  readonly #takenApart = new Set<Node>();
  readonly #errorClasses = new Set(['RotationError', 'LoginRefused']);

  read(source: string): void {
    const program = parseAst(source, { lang: 'ts' }) as unknown as Node;
    this.#walk(program, { names: new Map(), outer: this.#exported });
  }

  #walk(node: Node, scope: Scope): void {
    const inner = this.#declare(node, scope);
    if (node.type === 'ClassDeclaration' && this.#errorClasses.has(nameOf(node.superClass)))
      this.#errorClasses.add(nameOf(node.id));
    if (node.type === 'NewExpression' && this.#errorClasses.has(nameOf(node.callee))) this.#make(node, 0, inner);
    if (node.type === 'CallExpression') {
      if (nameOf(node.callee) === 'asRotationError' && !this.#takenApart.has(node)) this.#make(node, 1, inner);
      this.#calls.push({ callee: node.callee as Node, arguments: node.arguments as Node[], scope: inner });
    }
    for (const child of childrenOf(node)) this.#walk(child, inner);
  }

  /** Names are there before the line that gives them: functions are called from above. */
  #declare(node: Node, scope: Scope): Scope {
    const isFunction = /Function/.test(node.type);
    if (!isFunction && !/^(Program|BlockStatement|SwitchStatement)$/.test(node.type)) return scope;
    const inner: Scope = { names: new Map(), outer: scope };
    if (isFunction) {
      for (const parameter of node.params as Node[])
        for (const name of namesIn(parameter)) inner.names.set(name, { parameter: name, of: node });
      return inner;
    }
    const statements = node.type === 'SwitchStatement' ? (node.cases as Node[]).flatMap(bodyOf) : bodyOf(node);
    for (const statement of statements) {
      const declared = (statement.declaration as Node | null) ?? statement;
      const named: [Node, Node][] =
        declared.type === 'FunctionDeclaration'
          ? [[declared.id as Node, declared]]
          : declared.type === 'VariableDeclaration'
            ? (declared.declarations as Node[]).map(({ id, init }) => [id as Node, init as Node])
            : [];
      for (const [id, value] of named) {
        const meaning = id.type === 'Identifier' && value ? { node: value, scope: inner } : undefined;
        // Its parts go into another error.
        if (id.type === 'ObjectPattern') this.#takenApart.add(value);
        for (const name of namesIn(id)) {
          inner.names.set(name, meaning);
          if (declared !== statement) this.#exported.names.set(name, meaning);
        }
      }
    }
    return inner;
  }

  #make(node: Node, at: number, scope: Scope): void {
    const made = (node.arguments as Node[])[at];
    if (made?.type !== 'ObjectExpression') throw new Error(`an error is made of a ${made?.type}`);
    const properties = (made.properties as Node[]).filter(({ type }) => type === 'Property');
    const fields = new Map(properties.map((property) => [nameOf(property.key), property.value as Node]));
    this.made.push({ scope, fields });
  }

  /** The errors made at one place: one, or one for each call of the function that makes it of what it is given. */
  instances(fields: Map<string, Node>, scope: Scope, calling: Calling = new Map()): ThrownError[] {
    const of = keys.flatMap((key) => this.#unknownIn(fields.get(key), scope, calling) ?? [])[0];
    const calls = of ? this.#callsOf(of) : [];
    if (of && calls.length > 0) {
      return calls.flatMap((call) => this.instances(fields, scope, new Map([...calling, [of, given(of, call)]])));
    }
    const texts = (key: string) => this.#texts(fields.get(key), scope, calling);
    const one = (key: string) =>
      texts(key)
        .toSorted()
        .join(key === 'action' ? ' / ' : or);
    return texts('what').map((what) => ({
      category: one('category'),
      what: what.replace(/…+/g, differs),
      retryable: one('retryable'),
      pressed: one('pressed'),
      action: one('action'),
    }));
  }

  /** The function whose calls say what this is. */
  #unknownIn(node: Node | undefined, scope: Scope, calling: Calling): Node | undefined {
    if (node?.type !== 'Identifier') return undefined;
    const meaning = lookUp(nameOf(node), scope, calling);
    if (!meaning) return undefined;
    return 'node' in meaning ? this.#unknownIn(meaning.node, meaning.scope, calling) : meaning.of;
  }

  #callsOf(made: Node): Call[] {
    return this.#calls.filter(({ callee, scope }) => givenFor(callee, scope)?.node === made);
  }

  /** What a value may read. */
  #texts(node: Node | undefined, scope: Scope, calling: Calling): string[] {
    const of = (part: unknown) => this.#texts(part as Node, scope, calling);
    switch (node?.type) {
      case 'Literal':
        return [String(node.value)];
      case 'Identifier': {
        if (nameOf(node) === 'undefined') return [];
        const value = givenFor(node, scope, calling);
        return value ? this.#texts(value.node, value.scope, calling) : [differs];
      }
      case 'ConditionalExpression': {
        const { left, right, operator } = node.test as Node;
        const [itsLeft, itsRight] = operator === '===' ? [of(left), of(right)] : [];
        const known = itsLeft?.length === 1 && itsRight?.length === 1 && ![...itsLeft, ...itsRight].includes(differs);
        if (known) return of(itsLeft[0] === itsRight[0] ? node.consequent : node.alternate);
        return [...new Set([...of(node.consequent), ...of(node.alternate)])];
      }
      case 'TemplateLiteral': {
        const [first, ...rest] = (node.quasis as { value: { cooked: string } }[]).map(({ value }) => value.cooked);
        return (node.expressions as Node[]).reduce(
          (texts, part, at) => texts.flatMap((text) => of(part).map((between) => text + between + rest[at])),
          [first ?? ''],
        );
      }
      default:
        return [differs];
    }
  }
}

function given(made: Node, { arguments: list, scope }: Call): Map<string, Value> {
  const values = list.flatMap((argument): Value[] => {
    if (argument.type !== 'SpreadElement') return [{ node: argument, scope }];
    const spread = givenFor(argument.argument as Node, scope);
    if (spread?.node.type !== 'ArrayExpression') return [];
    return (spread.node.elements as Node[]).map((node) => ({ node, scope: spread.scope }));
  });
  const pairs = (made.params as Node[]).flatMap((parameter, at): [string, Value][] => {
    const node = values[at] ?? (parameter.type === 'AssignmentPattern' && { node: parameter.right as Node, scope });
    return node ? namesIn(parameter).map((name) => [name, node]) : [];
  });
  return new Map(pairs);
}

function lookUp(name: string, scope: Scope | undefined, calling: Calling = new Map()): Meaning {
  if (!scope) return undefined;
  if (!scope.names.has(name)) return lookUp(name, scope.outer, calling);
  const meaning = scope.names.get(name);
  if (!meaning || 'node' in meaning) return meaning;
  return calling.get(meaning.of)?.get(name) ?? meaning;
}

function givenFor(node: Node, scope: Scope, calling?: Calling): Value | undefined {
  const meaning = node.type === 'Identifier' ? lookUp(nameOf(node), scope, calling) : undefined;
  return meaning && 'node' in meaning ? meaning : undefined;
}

const nameOf = (node: unknown) => String((node as Node | null)?.name ?? '');

const bodyOf = (node: Node) => (node.body ?? node.consequent) as Node[];

/** The names that a pattern gives. */
function namesIn(pattern: Node): string[] {
  if (pattern.type === 'Identifier') return [nameOf(pattern)];
  if (pattern.type === 'AssignmentPattern') return namesIn(pattern.left as Node);
  if (pattern.type === 'Property') return namesIn(pattern.value as Node);
  return childrenOf(pattern)
    .filter(({ type }) => !type.startsWith('TS'))
    .flatMap(namesIn);
}

function childrenOf(node: Node): Node[] {
  const isNode = (value: unknown): value is Node => typeof (value as Node | null)?.type === 'string';
  return Object.values(node).flatMap((value) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );
}
