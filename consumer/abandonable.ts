/** `work`, or the signal's reason once it is aborted; `work` goes on, whatever it makes of the signal itself. */
export async function abandonable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T>;
export async function abandonable<T>(
  work: Promise<T> | undefined,
  signal: AbortSignal | undefined,
): Promise<T | undefined>;
export async function abandonable<T>(
  work: Promise<T> | undefined,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (!work || !signal) return work;
  let leave = () => {};
  const left = new Promise<never>((_resolve, reject) => {
    leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([work, left]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
