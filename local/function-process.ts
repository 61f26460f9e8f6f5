/** The process of one invocation: takes the event and the time from its parent, runs the handler, answers, and ends. */
import type { Context } from 'aws-lambda';
import type { Answer, Order } from './lambda-function.ts';

// A parent that died can neither be answered nor wait.
process.once('disconnect', () => process.exit(1));

process.once('message', async (order: Order) => {
  const endsAtMs = performance.now() + order.timeoutMs;
  const context = {
    awsRequestId: order.requestId,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME ?? '',
    getRemainingTimeInMillis: () => Math.max(0, Math.round(endsAtMs - performance.now())),
  } as Context;
  let answer: Answer;
  try {
    // A test may bring a broken handler, to show that it would be noticed.
    const { handler }: typeof import('../lambda/handler.ts') = await import(
      process.env.HANDLER ?? '../lambda/handler.ts'
    );
    answer = { result: await handler(order.event, context) };
  } catch (error) {
    const { name, message, stack = '' } = error as Error;
    answer = { errorType: name, errorMessage: message, stackTrace: stack.split('\n') };
  }
  process.send?.(answer, () => process.exit(0));
});
