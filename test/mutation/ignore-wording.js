/** What a log line or an error says is no decision: neither is mutated. `category`, `retryable` and `pressed` are. */
const isLog = (node) =>
  node?.type === 'CallExpression' &&
  (node.callee.name === 'log' || (node.callee.property?.name === 'log' && node.callee.object.name === 'ports'));

const isLogStatement = (node) => node.type === 'ExpressionStatement' && isLog(node.expression);

const isWording = (node) =>
  (node.type === 'ObjectProperty' && ['what', 'why', 'action'].includes(node.key.name)) ||
  (node.type === 'VariableDeclarator' && node.id.typeAnnotation?.typeAnnotation.typeName?.name === 'Words');

export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'wording',
    value: {
      shouldIgnore({ node }) {
        if (isLog(node) || isLogStatement(node) || (node.type === 'ArrowFunctionExpression' && isLog(node.body)))
          return 'a log line';
        if (node.type === 'BlockStatement' && node.body.length > 0 && node.body.every(isLogStatement))
          return 'log lines';
        if (isWording(node)) return 'wording';
        return undefined;
      },
    },
  },
];
