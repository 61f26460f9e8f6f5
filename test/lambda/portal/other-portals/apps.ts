/** Single-page apps, each with a router and a taste of its own. */
import { type OtherPortal, page } from './server.ts';

const spa = (markup: string, script: string, more: Partial<OtherPortal> = {}): OtherPortal => ({
  expect: 'pressed',
  app:
    () =>
    ({ method, url }) =>
      method !== 'GET' || url.pathname.startsWith('/api')
        ? undefined
        : page(`${markup}<script type="module">${client}${script}</script>`),
  ...more,
});

const client = `
const $ = (s) => document.querySelector(s);
const post = (path, body) => fetch(path, { method: 'POST', body: JSON.stringify(body ?? {}) });
const load = async () => { const r = await fetch('/api/client'); return r.ok ? r.json() : undefined; };
const other = (name) => post('/api/other/' + name);
globalThis.other = other;
`;

export const portals: Record<string, OtherPortal> = {
  'hash router, forgets the way, menu in the corner': spa(
    '<div id="app"></div>',
    `const user = { initials: 'R' };
    const views = {
      '#/login': () => '<form id=f><h2>Log in</h2><input placeholder="E-mail address"><input type=password placeholder=Password><button>Log in</button></form>',
      '#/home': () => shell('<h1>Dashboard</h1><p>Deliveries: 12 ok, 2 failed</p>'),
      '#/account': () => shell('<h1>Account</h1><ul><li><a href="#/profile">Profile</a></li><li><a href="#/team">Team</a></li><li><a href="#/dev">Developer Tools</a></li></ul>'),
      '#/dev': () => shell('<h1>Developer Tools</h1><div class=row><span>Client ID</span><span class=v>' + c.id + '</span></div><div class=row><span>Client Secret</span><span class=v id=s>' + c.secret + '</span></div><div class=dz><div class=dzh style="cursor:pointer">Danger Zone</div><div class=dzb style="display:none"><div class=item><div class=t>Rotate Secret</div><div class=d>Use when it leaked</div><div class=btn style="cursor:pointer;background:red">Rotate</div></div><div class=item><div class=t>Delete Client</div><div class=d>Forever</div><div class=btn style="cursor:pointer;background:red">Delete</div></div></div></div>'),
    };
    const shell = (x) => '<aside><nav><a href="#/home">Dashboard</a><a href="#/suppliers">Suppliers</a></nav><div id=me style="cursor:pointer;position:fixed;bottom:9px" title="Profile"><img alt="Profile" width=30 height=30></div><div id=menu hidden><a href="#/account">Manage Account</a><a href="#/logout">Log out</a></div></aside><main>' + x + '</main>';
    let c = await load();
    const draw = () => {
      if (!c && location.hash !== '#/login') { location.hash = '#/login'; return; }
      if (c && !views[location.hash]) { location.hash = '#/home'; return; }
      $('#app').innerHTML = views[location.hash]();
      const f = $('#f');
      if (f) f.onsubmit = async (e) => { e.preventDefault(); const [u, p] = f.querySelectorAll('input'); await post('/api/session', { username: u.value, password: p.value }); c = await load(); location.hash = '#/home'; };
      const me = $('#me'); if (me) me.onclick = () => { $('#menu').hidden = false; };
      const h = $('.dzh'); if (h) h.onclick = () => { $('.dzb').style.display = 'block'; };
      const [r, d] = document.querySelectorAll('.btn');
      if (r) { r.onclick = ask; d.onclick = () => other('delete'); }
    };
    const ask = () => {
      const m = document.createElement('div'); m.className = 'overlay'; m.style = 'position:fixed;inset:0;z-index:99;background:#0008';
      m.innerHTML = '<div style="background:#fff"><div>Rotate Secret</div><div>THIS ACTION IS IMMEDIATE AND CANNOT BE REVERTED. Please type ROTATE to confirm.</div><input><div class=no style="cursor:pointer">Cancel</div><div class=yes style="cursor:pointer">Rotate</div></div>';
      document.body.append(m);
      m.querySelector('.no').onclick = () => m.remove();
      m.querySelector('.yes').onclick = async () => { if (m.querySelector('input').value !== 'ROTATE') return; const s = (await (await post('/api/rotate')).json()).secret; m.remove(); setTimeout(() => { c.secret = s; $('#s').textContent = s; }, 1500); };
    };
    onhashchange = draw; draw();`,
  ),
  'web components with open shadow roots': spa(
    '<tw-app></tw-app>',
    `const define = (name, draw) => customElements.define(name, class extends HTMLElement { connectedCallback() { this.attachShadow({ mode: 'open' }); draw(this, this.shadowRoot); } });
    define('tw-button', (e, r) => { r.innerHTML = '<button part=base type=button><slot></slot></button>'; });
    define('tw-field', (e, r) => { r.innerHTML = '<div class=form-control><label for=input>' + e.getAttribute('label') + '</label><div class=input><input id=input readonly type=' + (e.getAttribute('type') ?? 'text') + '><button part=copy aria-label="Copy ' + e.getAttribute('label') + '">⧉</button></div></div>'; r.querySelector('input').value = e.getAttribute('value'); });
    define('tw-details', (e, r) => { r.innerHTML = '<details><summary role=button aria-expanded=false aria-controls=content><slot name=summary>' + e.getAttribute('summary') + '</slot></summary><div id=content><slot></slot></div></details>'; r.querySelector('details').ontoggle = (t) => r.querySelector('summary').setAttribute('aria-expanded', String(t.target.open)); });
    define('tw-dialog', (e, r) => { r.innerHTML = '<div part=base style="position:fixed;inset:0;display:none"><div part=overlay style="position:fixed;inset:0;background:#0008"></div><div part=panel role=dialog aria-modal=true aria-label="' + e.getAttribute('label') + '" style="position:relative;background:#fff"><h2>' + e.getAttribute('label') + '</h2><slot></slot><footer><slot name=footer></slot></footer></div></div>'; e.show = (on) => { r.firstChild.style.display = on ? 'block' : 'none'; }; });
    define('tw-app', async (e, r) => {
      let c = await load();
      if (!c) {
        r.innerHTML = '<form><h1>Sign in</h1><label>Email <input type=email name=email></label><label>Password <input type=password name=password></label><button>Sign in</button></form>';
        r.querySelector('form').onsubmit = async (s) => { s.preventDefault(); const [u, p] = r.querySelectorAll('input'); await post('/api/session', { username: u.value, password: p.value }); location.reload(); };
        return;
      }
      r.innerHTML = '<h1>Developer Tools</h1><tw-field label="Client ID" value="' + c.id + '"></tw-field><tw-field label="Client Secret" type=password value="' + c.secret + '"></tw-field><tw-details summary="Danger Zone"><div class=row><strong>Rotate Secret</strong><p>Immediately replaces it.</p><tw-button id=go>Rotate</tw-button></div><div class=row><strong>Delete Client</strong><p>Gone.</p><tw-button id=del>Delete</tw-button></div></tw-details><tw-dialog label="Rotate client secret"><p>Are you sure?</p><tw-button slot=footer id=no>Cancel</tw-button><tw-button slot=footer id=yes>Rotate</tw-button></tw-dialog>';
      const d = r.querySelector('tw-dialog');
      r.querySelector('#go').onclick = () => d.show(true);
      r.querySelector('#del').onclick = () => other('delete');
      r.querySelector('#yes').onclick = async () => { const s = (await (await post('/api/rotate')).json()).secret; d.show(false); r.querySelectorAll('tw-field')[1].shadowRoot.querySelector('input').value = s; };
    });`,
  ),
  'Angular Material': spa(
    '<app-root></app-root><div class="cdk-overlay-container"></div>',
    `const root = $('app-root'); let c = await load();
    const field = (id, label, type, v, suffix = '') => '<mat-form-field class="mat-mdc-form-field"><div class="mat-mdc-text-field-wrapper mdc-text-field"><div class="mat-mdc-form-field-flex"><div class="mat-mdc-form-field-infix"><label matformfieldfloatinglabel class="mdc-floating-label" id="l' + id + '" for="' + id + '"><mat-label>' + label + '</mat-label></label><input matinput class="mat-mdc-input-element" id="' + id + '" type="' + type + '" ' + (v === undefined ? '' : 'readonly value="' + v + '"') + '></div>' + suffix + '</div></div><div class="mat-mdc-form-field-subscript-wrapper" aria-live="polite"></div></mat-form-field>';
    const icon = (label, name) => '<button mat-icon-button matsuffix aria-label="' + label + '"><mat-icon role="img" aria-hidden="true" class="material-icons">' + name + '</mat-icon></button>';
    if (!c) { root.innerHTML = '<form><mat-card><mat-card-title>Sign in</mat-card-title>' + field('i0', 'E-mail', 'text') + field('i1', 'Password', 'password', undefined, icon('Hide password', 'visibility_off')) + '<button mat-flat-button type=submit><span class="mdc-button__label">Sign in</span></button></mat-card></form>';
      $('form').onsubmit = async (e) => { e.preventDefault(); await post('/api/session', { username: $('#i0').value, password: $('#i1').value }); c = await load(); draw(); }; } else draw();
    function draw() {
      root.innerHTML = '<mat-toolbar><span>TradeAware</span></mat-toolbar><h1 class="mat-headline-5">Developer Tools</h1><mat-card><mat-card-content>' + field('id', 'Client ID', 'text', c.id, icon('Copy client ID', 'content_copy')) + field('sec', 'Client Secret', 'password', c.secret, icon('Show client secret', 'visibility') + icon('Copy client secret', 'content_copy')) + '</mat-card-content></mat-card><mat-accordion><mat-expansion-panel class="mat-expansion-panel"><mat-expansion-panel-header role="button" tabindex="0" aria-controls="cdk-accordion-child-0" aria-expanded="false" id="mat-expansion-panel-header-0"><span class="mat-content"><mat-panel-title>Danger Zone</mat-panel-title><mat-panel-description>Irreversible actions</mat-panel-description></span><span class="mat-expansion-indicator" aria-hidden=true></span></mat-expansion-panel-header><div class="mat-expansion-panel-content-wrapper" inert style="display:grid;grid-template-rows:0fr;transition:grid-template-rows 225ms"><div role="region" class="mat-expansion-panel-content" id="cdk-accordion-child-0" aria-labelledby="mat-expansion-panel-header-0" style="overflow:hidden;min-height:0;visibility:hidden"><mat-list role=list><mat-list-item role=listitem><span class=mdc-list-item__primary-text>Rotate Secret</span><span class=mdc-list-item__secondary-text>Invalidates the existing secret</span><button mat-flat-button color=warn><span class=mdc-button__label>Rotate</span></button></mat-list-item><mat-list-item role=listitem><span class=mdc-list-item__primary-text>Delete Client</span><span class=mdc-list-item__secondary-text>Removes everything</span><button mat-flat-button color=warn><span class=mdc-button__label>Delete</span></button></mat-list-item></mat-list></div></div></mat-expansion-panel></mat-accordion>';
      const h = $('mat-expansion-panel-header'); h.onclick = () => { const open = h.getAttribute('aria-expanded') !== 'true'; h.setAttribute('aria-expanded', String(open)); const w = h.nextElementSibling; w.inert = !open; w.style.gridTemplateRows = open ? '1fr' : '0fr'; w.firstChild.style.visibility = open ? 'visible' : 'hidden'; };
      const [go, del] = document.querySelectorAll('mat-list-item button'); go.onclick = ask; del.onclick = () => other('delete');
    }
    function ask() {
      $('.cdk-overlay-container').innerHTML = '<div class="cdk-overlay-backdrop" style="position:fixed;inset:0;background:#0005;z-index:1000"></div><div class="cdk-global-overlay-wrapper" style="position:fixed;inset:0;display:flex;justify-content:center;z-index:1000;pointer-events:none"><div class="cdk-overlay-pane" style="pointer-events:auto;background:#fff"><mat-dialog-container tabindex=-1 role=dialog aria-modal=true aria-labelledby=dt><h2 mat-dialog-title id=dt>Confirm rotation</h2><mat-dialog-content><p>To rotate the secret of this client, please enter its client ID.</p>' + field('w', 'Client ID', 'text') + '</mat-dialog-content><mat-dialog-actions><button mat-button><span>Cancel</span></button><button mat-flat-button disabled><span>Rotate</span></button></mat-dialog-actions></mat-dialog-container></div></div>';
      root.setAttribute('aria-hidden', 'true');
      const [no, yes] = document.querySelectorAll('mat-dialog-actions button'); $('#w').oninput = (e) => { yes.disabled = e.target.value !== c.id; };
      const close = () => { root.removeAttribute('aria-hidden'); $('.cdk-overlay-container').innerHTML = ''; };
      no.onclick = close; yes.onclick = async () => { $('#sec').value = (await (await post('/api/rotate')).json()).secret; close(); };
    }`,
  ),
  'flat rows: masked with Show beside, Vuetify panels, cookie bar': spa(
    '<div id="app"></div>',
    `let c = await load(), shown = false;
    if (!c) { $('#app').innerHTML = '<form><div class=v-field><label>Email</label><input type=text></div><div class=v-field><label>Password</label><input type=password></div><button>LOG IN</button></form>'; $('form').onsubmit = async (e) => { e.preventDefault(); const [u, p] = document.querySelectorAll('input'); await post('/api/session', { username: u.value, password: p.value }); c = await load(); draw(); }; } else draw();
    function draw() {
      $('#app').innerHTML = '<h2>Developer Tools</h2><span class=k>Client ID</span><span class=v>' + c.id + '</span><button class=i aria-label=Copy>⧉</button><br><span class=k>Client Secret</span><span class=v id=s>' + (shown ? c.secret : '••••••••••••') + '</span><button class=i id=show>' + (shown ? 'Hide' : 'Show') + '</button><button class=i aria-label=Copy>⧉</button><div class="v-expansion-panels"><div class="v-expansion-panel"><button class="v-expansion-panel-title" aria-expanded="false"><i class="mdi mdi-alert" aria-hidden="true"></i> Danger Zone<span class="v-expansion-panel-title__icon"><i class="mdi mdi-chevron-down" aria-hidden="true"></i></span></button><div class="v-expansion-panel-text" style="display:none"><div class=v-row><div class=v-col><p>Rotate Secret</p><small>Be careful.</small></div><div class=v-col><button class="v-btn bg-error"><span class="v-btn__overlay"></span><span class="v-btn__content">Rotate</span></button></div></div><div class=v-row><div class=v-col><p>Revoke all tokens</p><small>Be careful.</small></div><div class=v-col><button class="v-btn bg-error"><span class="v-btn__content">Revoke</span></button></div></div></div></div></div>';
      $('#show').onclick = () => { shown = !shown; draw(); };
      const t = $('.v-expansion-panel-title'); t.onclick = () => { t.setAttribute('aria-expanded', 'true'); $('.v-expansion-panel-text').style.display = ''; };
      const [go, rev] = document.querySelectorAll('.v-btn'); rev.onclick = () => other('revoke');
      go.onclick = () => { const o = document.createElement('div'); o.innerHTML = '<div role=dialog aria-modal=true class="v-overlay v-overlay--active" style="z-index:2400"><div class="v-overlay__scrim" style="position:fixed;inset:0;background:#0006"></div><div class="v-overlay__content" style="position:fixed;top:50px;left:50px;background:#fff"><div class=v-card><div class=v-card-title>Are you sure?</div><div class=v-card-text>Your current secret is replaced immediately.</div><div class=v-card-actions><button class=v-btn>Cancel</button><button class=v-btn>Rotate</button></div></div></div></div>'; document.body.append(o); const [no, yes] = o.querySelectorAll('button'); no.onclick = () => o.remove(); yes.onclick = async () => { c.secret = (await (await post('/api/rotate')).json()).secret; shown = false; o.remove(); draw(); }; };
    }
    const bar = document.createElement('div'); bar.style = 'position:fixed;bottom:0;left:0;right:0;height:70%;background:#eee;z-index:3000'; bar.innerHTML = '<h4>We value your privacy</h4><p>We use cookies to enhance your experience.</p><button>Customize</button><button>Reject All</button><button>Accept All</button>'; for (const b of bar.querySelectorAll('button')) b.onclick = () => bar.remove(); document.body.append(bar);`,
  ),
};
