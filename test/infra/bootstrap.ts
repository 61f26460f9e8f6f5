/**
 * Plays Lambda's managed Node.js runtime: loads the handler, takes events from the Runtime API and gives back what the
 * handler answers.
 *
 * @see Lambda developer guide, "Using the Lambda runtime API for custom runtimes"
 */
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

export type Handler = (event: unknown, context: object) => Promise<unknown>;

const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT, _HANDLER = '', AWS_LAMBDA_FUNCTION_NAME: functionName } = process.env;

async function call(method: string, path: string, body = ''): Promise<{ message: IncomingMessage; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const url = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/${path}`;
  request(url, { method }, resolve).on('error', reject).end(body);
  const message = await promise;
  return { message, body: await text(message) };
}

function asError(thrown: unknown): string {
  const { name, message, stack = '' } = thrown as Error;
  return JSON.stringify({ errorType: name, errorMessage: message, stackTrace: stack.split('\n') });
}

async function load(): Promise<Handler> {
  const dot = _HANDLER.lastIndexOf('.');
  try {
    const module: Record<string, Handler> = await import(`${LAMBDA_TASK_ROOT}/${_HANDLER.slice(0, dot)}.mjs`);
    return module[_HANDLER.slice(dot + 1)] as Handler;
  } catch (thrown) {
    await call('POST', 'init/error', asError(thrown));
    process.exit(1);
  }
}

for (const handler = await load(); ; ) {
  const { message, body } = await call('GET', 'invocation/next');
  const awsRequestId = message.headers['lambda-runtime-aws-request-id'];
  const deadlineMs = Number(message.headers['lambda-runtime-deadline-ms']);
  const getRemainingTimeInMillis = () => Math.max(0, deadlineMs - Date.now());
  const of = `invocation/${awsRequestId}`;
  await handler(JSON.parse(body), { awsRequestId, functionName, getRemainingTimeInMillis }).then(
    (result) => call('POST', `${of}/response`, JSON.stringify(result) ?? 'null'),
    (thrown: unknown) => call('POST', `${of}/error`, asError(thrown)),
  );
}
