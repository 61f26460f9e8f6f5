import { lstat, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { launchChromium } from 'playwright-aws-lambda';
import type { Browser, BrowserContext, Dialog, Page, Request, Route } from 'playwright-core';
import { trouble } from './failures.ts';
import { type Origins, originOf } from './origins.ts';
import { pathIn } from './outline.ts';
import { anyOf, type PortalProfile } from './profile.ts';

/** All that suffices in Lambda; none weakens what keeps web pages apart. @see field-notes "Chromium for Lambda" */
const flags = [
  '--no-sandbox',
  '--no-zygote',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--no-pings',
  '--disable-domain-reliability',
  // Their requests pass no gate, and neither do those of `fetchLater`.
  '--disable-shared-workers',
  // No WebRTC: given an address, it asks neither the gate nor the resolver.
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--js-flags=--max-old-space-size=512',
  // The last such flag counts: Playwright's own also switches off HTTPS upgrades and the partitioning of third-party storage.
  '--disable-features=AvoidCorsURLLoaderRestartOnRedirect,AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,FetchLaterAPI,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,PaintHolding',
];
const ownDefaultsLeftOut = [
  '--disable-popup-blocking',
  '--disable-ipc-flooding-protection',
  '--unsafely-disable-devtools-self-xss-warnings',
  '--enable-unsafe-swiftshader',
];

/** More dialogs than a person would click away. */
const maxScriptDialogs = 20;

export interface BrowserOptions {
  profile: PortalProfile;
  origins: Origins;
  /** An installed Chromium, shown in a window; undefined takes the package's own, which has none. */
  chromiumPath: string | undefined;
  /** Whether the last of the tries may be with one process for all: not once a press may have happened. */
  singleProcessFallback: boolean;
}

/** A browser with one context and one page, which keeps to the origins and to itself. */
export class PortalBrowser {
  readonly page: Page;
  /** What has made this browser useless, if anything. */
  broken: string | undefined;
  /** Origins that the page wanted something from and that are not allowed. */
  readonly blocked = new Set<string>();
  /** The last answer to a navigation of the page. */
  status: number | undefined;
  /** Where the page last set out for, whether it got there or not. */
  wanted: string | undefined;
  /** Why it did not get there. */
  networkError: string | undefined;
  /** Requests of the page that have not been answered yet. */
  readonly underWay = new Set<Request>();
  /** When the last of them was, on the monotonic clock: what it brought is drawn after that. */
  answeredAtMs = 0;
  /** How many documents the page has loaded. */
  documents = 0;
  /** The portal's answer to the last request that was not to read, where it was an error; of those that `awaited` knows by their body. */
  writeFailed: string | undefined;
  /** Undefined: all of them. Others, such as a page's telemetry, say nothing of the login. */
  awaited: ((body: string) => boolean) | undefined;
  /** How many requests have carried what `awaited` knows. */
  carried = 0;
  /** How many that were not to read have been answered. */
  answeredWrites = 0;
  /** How many requests were not to read. */
  writes = 0;
  /** Whether the page talks to its server by other means too, which are not seen. */
  hasSocket = false;
  /** How much it has said so. */
  framesSent = 0;
  /** Where the page wanted to open a new tab, if it may go there. */
  newTab: string | undefined;
  /** What the page has asked since the press, with a script dialog; it was answered no. */
  askedAgain: string | undefined;
  /** Requests that may change something go out once: Chromium itself repeats one whose connection, in use before, is reset. */
  sendsOnce = false;
  readonly #browser: Browser;
  readonly #context: BrowserContext;
  readonly #options: BrowserOptions;
  readonly #processId: number | undefined;
  #scriptDialogs = 0;
  #onScriptDialog: ((dialog: Dialog) => void) | undefined;
  #hold: ((route: Route) => void) | undefined;
  #writesBefore = 0;
  /** What the page has sent, by what it was for. */
  readonly #written = new Set<string>();
  /** The last request for a page. */
  #navigation: Request | undefined;

  private constructor(
    browser: Browser,
    context: BrowserContext,
    page: Page,
    processId: number | undefined,
    options: BrowserOptions,
  ) {
    this.#browser = browser;
    this.#context = context;
    this.page = page;
    this.#processId = processId;
    this.#options = options;
  }

  /** @throws {RotationError} portal-unavailable, after three tries */
  static async start(options: BrowserOptions): Promise<PortalBrowser> {
    const { origins, chromiumPath, profile, singleProcessFallback } = options;
    const { browser, processId } = await launch(
      chromiumPath,
      [...flags, origins.resolverRule],
      profile.times.launchMs,
      singleProcessFallback,
    );
    try {
      const context = await browser.newContext({
        acceptDownloads: false,
        serviceWorkers: 'block',
        permissions: [],
        locale: profile.locale,
        timezoneId: 'UTC',
        reducedMotion: 'reduce',
        viewport: { width: 1280, height: 1000 },
      });
      context.setDefaultTimeout(profile.times.clickMs);
      const page = await context.newPage();
      const started = new PortalBrowser(browser, context, page, processId, options);
      await started.#watch();
      return started;
    } catch {
      await end(browser, processId, profile.times.closeMs);
      throw trouble('portal-unavailable', 'Chromium broke off at its first page');
    }
  }

  async #watch(): Promise<void> {
    const { page } = this;
    living.add(this);
    if (!process.hasUncaughtExceptionCaptureCallback()) process.setUncaughtExceptionCaptureCallback(whenUncaught);
    this.#browser.on('disconnected', () => this.#break('the browser has crashed'));
    page.on('crash', () => this.#break('the page has crashed'));
    page.on('close', () => this.#break('the page has closed itself'));
    page.on('domcontentloaded', () => {
      this.documents += 1;
    });
    const answered = (request: Request) => {
      this.underWay.delete(request);
      this.answeredAtMs = performance.now();
    };
    page.on('requestfinished', answered);
    page.on('request', (request) => {
      if (this.#isPage(request)) this.underWay.clear();
      this.underWay.add(request);
      if (isWrite(request)) {
        this.writes += 1;
        this.#written.add(purposeOf(request));
        if (this.awaited?.(request.postData() ?? '')) this.carried += 1;
      }
      if (!this.#isPage(request)) return;
      this.#navigation = request;
      this.wanted = request.url();
      this.networkError = undefined;
    });
    page.on('requestfailed', (request) => {
      answered(request);
      const error = request.failure()?.errorText;
      if (this.sendsOnce && isWrite(request) && !/ABORTED|BLOCKED/.test(error ?? ''))
        this.writeFailed = `the connection broke off at ${request.method()} ${pathIn(request.url())} (${error})`;
      // The end of an earlier one may come late.
      if (request === this.#navigation && error !== 'net::ERR_ABORTED') this.networkError = error;
    });
    page.on('response', (response) => {
      const path = pathIn(response.url());
      const request = response.request();
      if (isWrite(request)) {
        this.answeredWrites += 1;
        const failed = `the portal answered ${response.status()} to ${request.method()} ${path}`;
        if (this.carried === 0 || (this.awaited?.(request.postData() ?? '') ?? true))
          this.writeFailed = response.status() >= 400 ? failed : undefined;
      }
      if (request === this.#navigation) this.status = response.status();
    });
    page.on('websocket', (socket) => {
      this.hasSocket = true;
      socket.on('framesent', () => {
        this.framesSent += 1;
      });
    });
    this.#context.on('dialog', (dialog) => this.#scriptDialog(dialog));
    this.#context.on('page', (tab) => {
      if (tab === page) return;
      if (this.#options.origins.trusts(tab.url())) this.newTab = tab.url();
      tab.close().catch(() => undefined);
    });
    await this.#context.route('**/*', (route) => this.#gate(route));
  }

  /** From now on a request that may change something goes out once, and is counted. */
  expectPress(): void {
    this.writeFailed = undefined;
    this.askedAgain = undefined;
    this.awaited = undefined;
    this.#writesBefore = this.writes;
    this.sendsOnce = true;
  }

  /** Whether a request has gone out since the press. */
  get pressSent(): boolean {
    return this.writes > this.#writesBefore;
  }

  /** Whether the answer to a request that was not to read is still to come. */
  get isWriting(): boolean {
    return [...this.underWay].some(isWrite);
  }

  /** Whether one has, and all have been answered. */
  get pressAnswered(): boolean {
    return this.pressSent && !this.isWriting;
  }

  /** Whether it is on its way to another page. */
  get isLeaving(): boolean {
    return this.#navigation !== undefined && this.underWay.has(this.#navigation);
  }

  #isPage(request: Request): boolean {
    try {
      return request.isNavigationRequest() && request.frame() === this.page.mainFrame();
    } catch {
      // That of a new tab has no frame yet.
      return false;
    }
  }

  #break(why: string): void {
    this.broken ??= why;
  }

  /** Chromium is killed, since Playwright does not understand it any more: what waits for it ends with that. */
  deafen(): void {
    this.#break('the page had more to tell than can be read');
    void this.close();
  }

  #gate(route: Route): void {
    const request = route.request();
    const url = request.url();
    if (!this.#options.origins.allows(url)) {
      this.blocked.add(originOf(url));
      route.abort('blockedbyclient').catch(() => undefined);
      return;
    }
    const changes = changesSomething(request, this.#options.profile);
    if (this.#hold && changes) {
      this.#hold(route);
    } else if (this.sendsOnce && changes) {
      void sendOnce(route);
    } else {
      route.continue().catch(() => undefined);
    }
  }

  #scriptDialog(dialog: Dialog): void {
    // An alert asks nothing.
    if (this.#onScriptDialog && dialog.page() === this.page && asks(dialog)) {
      this.#onScriptDialog(dialog);
      return;
    }
    this.#scriptDialogs += 1;
    if (this.#scriptDialogs > maxScriptDialogs) {
      this.#break('the page opens one script dialog after the other');
      this.#context.close().catch(() => undefined);
    }
    if (this.sendsOnce && asks(dialog)) this.askedAgain = dialog.message().slice(0, 200);
    (dialog.type() === 'beforeunload' ? dialog.accept() : dialog.dismiss()).catch(() => undefined);
  }

  /**
   * Holds back every request that may change something, from now until `release` (they go) or `drop` (they never do). A portal
   * that rotates at the click on "Rotate", without a dialog, would otherwise press before the slot is taken. `navigates` rejects where
   * one of them is for another page: until it is dropped, the page answers nothing.
   *
   * @param exceptReports lets go what the page has sent before, and what waits for no answer: both report what is clicked and typed
   */
  holdRequests(exceptReports = false): {
    navigates: Promise<never>;
    readonly isEmpty: boolean;
    release(): void;
    drop(): string[];
  } {
    const held: Route[] = [];
    const { promise: navigates, reject } = Promise.withResolvers<never>();
    navigates.catch(() => undefined);
    const reports = new Set(exceptReports ? this.#written : []);
    const hold = (route: Route) => {
      const request = route.request();
      if (reports.has(purposeOf(request)) || (exceptReports && request.resourceType() === 'ping')) {
        route.continue().catch(() => undefined);
        return;
      }
      held.push(route);
      if (this.#isPage(request)) reject(new Error('a page is held back'));
    };
    this.#hold = hold;
    const stop = () => {
      if (this.#hold === hold) this.#hold = undefined;
    };
    return {
      navigates,
      get isEmpty() {
        return held.length === 0;
      },
      release: () => {
        stop();
        for (const route of held.splice(0)) route.continue().catch(() => undefined);
      },
      drop: () => {
        stop();
        const dropped = held.splice(0);
        for (const route of dropped) route.abort('blockedbyclient').catch(() => undefined);
        return dropped.map((route) => `${route.request().method()} ${pathIn(route.request().url())}`);
      },
    };
  }

  /** The next `window.confirm` or `window.prompt`, left open: it blocks the page until it is answered. */
  nextScriptDialog(): { opened: Promise<Dialog>; stop(): void } {
    const { promise, resolve } = Promise.withResolvers<Dialog>();
    const listener = (dialog: Dialog) => {
      this.#onScriptDialog = undefined;
      resolve(dialog);
    };
    this.#onScriptDialog = listener;
    return {
      opened: promise,
      stop: () => {
        if (this.#onScriptDialog === listener) this.#onScriptDialog = undefined;
      },
    };
  }

  /** What the page put on the clipboard when it was told to; the clipboard is empty afterwards. */
  async copied(click: () => Promise<void>): Promise<string> {
    const { page } = this;
    await this.#context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: originOf(page.url()) });
    try {
      await page.evaluate(() => navigator.clipboard.writeText(''));
      await click();
      for (const until = performance.now() + 1_000; performance.now() < until; ) {
        const text = String(await page.evaluate(async () => (await navigator.clipboard.readText()).slice(0, 5_000)));
        if (text) return text;
      }
      return '';
    } finally {
      await page.evaluate(() => navigator.clipboard.writeText('')).catch(() => undefined);
      await this.#context.clearPermissions();
    }
  }

  /** Bounded; never throws. Chromium is killed where it does not go by itself (it may take minutes). @see Sparticuz/chromium#114 */
  async close(): Promise<void> {
    await end(this.#browser, this.#processId, this.#options.profile.times.closeMs);
    living.delete(this);
  }
}

const living = new Set<PortalBrowser>();

/**
 * What Chromium tells, Playwright makes one string of: of a page that writes half a gigabyte to its console, that ends in an error that
 * nobody can catch, and with it the process; of a browser that is closed already too, so this stays. Lambda's runtime is asked after it.
 * @see Node.js, process.setUncaughtExceptionCaptureCallback
 */
function whenUncaught(error: Error): void {
  if ((error as NodeJS.ErrnoException).code === 'ERR_STRING_TOO_LONG') {
    for (const browser of living) browser.deafen();
    return;
  }
  process.setUncaughtExceptionCaptureCallback(null);
  setImmediate(() => {
    throw error;
  });
}

/** By Node, which does not repeat what was not answered; redirects and cookies are left to the browser. */
async function sendOnce(route: Route): Promise<void> {
  try {
    const response = await route.fetch({ maxRedirects: 0, maxRetries: 0, timeout: 0 });
    await route.fulfill({ response });
  } catch {
    await route.abort('connectionreset').catch(() => undefined);
  }
}

const asks = (dialog: Dialog) => /^(confirm|prompt)$/.test(dialog.type());

const isWrite = (request: Request) => !['GET', 'HEAD', 'OPTIONS'].includes(request.method());

function changesSomething(request: Request, { harmlessRequests }: PortalProfile): boolean {
  if (!isWrite(request) || onlyQueries(request.postData())) return false;
  const text = `${request.method()} ${new URL(request.url()).pathname}`;
  return harmlessRequests.length === 0 || !anyOf(harmlessRequests).test(text);
}

/** Where it goes; of what is sent to one address for all, also what it says. */
function purposeOf(request: Request): string {
  const body = request.postData() ?? '';
  const calls = /"(query|operationName|mutation|method)"/.test(body) ? body.slice(0, 500) : '';
  return `${request.method()} ${request.url().split(/[?#]/)[0]} ${calls}`;
}

/** GraphQL sends what only reads by POST too. @see GraphQL specification, "Operations" */
function onlyQueries(body: string | null): boolean {
  try {
    const operations: { query?: unknown }[] = [JSON.parse(body ?? '')].flat();
    const isQuery = (text: unknown) =>
      typeof text === 'string' && /^\s*(query\b|\{)/.test(text) && !/\b(mutation|subscription)\b/.test(text);
    return operations.length > 0 && operations.every(({ query }) => isQuery(query));
  } catch {
    return false;
  }
}

/** Three tries: about one launch in a hundred fails. @see microsoft/playwright#14818 */
async function launch(
  chromiumPath: string | undefined,
  args: string[],
  timeoutMs: number,
  singleProcessFallback: boolean,
): Promise<{ browser: Browser; processId: number | undefined }> {
  const tries = [args, args, singleProcessFallback ? [...args, '--single-process'] : args];
  for (const [failures, triedArgs] of tries.entries()) {
    let browser: Browser | undefined;
    try {
      // It would unpack and take a Chromium of its own in Lambda, where TMPDIR is not /tmp.
      process.env.IS_LOCAL ??= 'true';
      const directory = chromiumPath ? tmpdir() : await chromiumDirectory(failures > 0);
      browser = await launchChromium({
        executablePath: chromiumPath ?? `${directory}/chromium`,
        args: triedArgs,
        ignoreDefaultArgs: ownDefaultsLeftOut,
        headless: chromiumPath === undefined,
        env: await environment(directory),
        timeout: timeoutMs,
      });
      const session = await browser.newBrowserCDPSession();
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      await session.detach();
      return { browser, processId: processInfo.find(({ type }) => type === 'browser')?.id };
    } catch {
      await browser?.close().catch(() => undefined);
    }
  }
  throw trouble(
    'portal-unavailable',
    `Chromium did not start in ${tries.length} tries`,
    'none if the retry succeeds; otherwise give the function more memory',
  );
}

/** Chromium with its libraries and fonts: in place in the function's asset, elsewhere unpacked once by its package. */
async function chromiumDirectory(again: boolean): Promise<string> {
  const { LAMBDA_TASK_ROOT: asset } = process.env;
  if (asset) {
    await removeLeftovers();
    return `${asset}/chromium`;
  }
  const { default: chromium, inflate } = await import('@sparticuz/chromium');
  const libraries = inflate(fileURLToPath(new URL('../bin/al2023.tar.br', import.meta.resolve('@sparticuz/chromium'))));
  if (again) {
    // An invocation that was killed while it unpacked Chromium leaves part of one behind.
    const unpacked = `${tmpdir()}/chromium`;
    if ((await lstat(unpacked).catch(() => undefined))?.isFile()) await rm(unpacked);
  }
  await Promise.all([chromium.executablePath(), libraries]);
  return tmpdir();
}

/** Lambda keeps /tmp, and runs one invocation at a time in it: what an earlier browser left, killed or closing, is nobody's. */
async function removeLeftovers(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => /^(playwright[-_]|\.?org\.chromium\.|core\.)/.test(name));
  const removals = names.map((name) => rm(`${tmpdir()}/${name}`, { recursive: true, force: true }));
  await Promise.allSettled(removals);
}

/** Chromium sees no credentials of ours. Without any font it dies at the first text; the package's own list is for TMPDIR=/tmp. */
async function environment(directory: string): Promise<Record<string, string>> {
  const { DISPLAY, WAYLAND_DISPLAY, XDG_RUNTIME_DIR, XAUTHORITY, LD_LIBRARY_PATH } = process.env;
  const home = tmpdir();
  const fonts = `${home}/fonts-for-chromium.conf`;
  const folders = [`${directory}/fonts`, '/usr/share/fonts'].map((folder) => `<dir>${folder}</dir>`).join('');
  await writeFile(fonts, `<fontconfig>${folders}<cachedir>${home}/fonts-cache</cachedir></fontconfig>`);
  const libraries = [LD_LIBRARY_PATH, `${directory}/al2023/lib`].filter(Boolean).join(':');
  const screen = Object.entries({ DISPLAY, WAYLAND_DISPLAY, XDG_RUNTIME_DIR, XAUTHORITY });
  const known = screen.filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(known), HOME: home, TMPDIR: home, LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: fonts };
}

async function end(browser: Browser, processId: number | undefined, timeoutMs: number): Promise<void> {
  const timer = Promise.withResolvers<'late'>();
  const timeout = setTimeout(() => timer.resolve('late'), timeoutMs);
  const closed = await Promise.race([browser.close().catch(() => undefined), timer.promise]);
  clearTimeout(timeout);
  if (closed !== 'late' || processId === undefined) return;
  try {
    process.kill(processId, 'SIGKILL');
  } catch {
    // It has gone by itself.
  }
}
