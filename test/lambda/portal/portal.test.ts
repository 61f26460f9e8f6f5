import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { chosen } from '../../choice.ts';
import { open, parts, type SmallPortal, servePortal, usual } from './small-portal.ts';

const signal = AbortSignal.timeout(600_000);
let portal: SmallPortal;
afterEach(() => portal?.close());

type Page = Parameters<typeof servePortal>[0];
const withId =
  (id: (id: string) => string): Page =>
  ({ id: value, secret }) =>
    usual({ id: value, secret }).replace(parts.id(value), id(value));
const withSecret =
  (part: (secret: string) => string): Page =>
  ({ id, secret }) =>
    usual({ id, secret }).replace(parts.secret(secret), part(secret));
const withZone =
  (zone: string): Page =>
  (page) =>
    usual(page).replace(parts.zone(parts.rows), zone);
const withRows = (rows: string): Page => withZone(parts.zone(rows));
const withDialog =
  (dialog: string): Page =>
  (page) =>
    usual(page).replace(/<dialog[\s\S]*<\/dialog>/, dialog);
const inDialog = (content: string): Page => withDialog(parts.dialog(content));

const anotherSecret = '<dl><dt>Signing key</dt><dd>whsec_5f0c1d9e8b7a6c5d4e3f</dd></dl>';

/** Forms that a reasonable web team would choose. */
const forms: Record<string, Page> = {
  'a page as documented': usual,
  'a dialog that reads by GraphQL what it says': (page) =>
    usual(page).replace(
      'onclick="ask()"',
      `onclick="fetch('/graphql', { method: 'POST', body: JSON.stringify({ query: 'query Client { name }' }) }).then(ask)"`,
    ),
  'an id in a definition list': withId((id) => `<dl><dt>Name</dt><dd>ERP</dd><dt>Client ID</dt><dd>${id}</dd></dl>`),
  'an id as code beside its label': withId(
    (id) => `<div><span>Client ID</span><code>${id}</code><button aria-label="Copy client ID">⧉</button></div>`,
  ),
  'an id in the same text as its label': withId((id) => `<p>Client ID: ${id}</p>`),
  'an id as bold text after a colon': withId((id) => `<p><strong>Client ID:</strong> <span>${id}</span></p>`),
  'a secret in a password field': withSecret(
    (s) =>
      `<label for="s">Client Secret</label><input id="s" type="password" readonly data-secret value="${s}"><button onclick="s.type='text'">Show</button>`,
  ),
  'a secret in a field with a placeholder that nobody sees': withSecret(
    (s) =>
      `<table><tr><th>Client Secret</th><td><input type="password" readonly placeholder="Please enter" data-secret value="${s}"></td></tr></table>`,
  ),
  'a secret in a textarea': withSecret(
    (s) => `<label for="s">Client Secret</label><textarea id="s" readonly data-secret>${s}</textarea>`,
  ),
  'a secret as code': withSecret(
    (s) => `<div class="f"><div>Client Secret</div><div><code data-secret>${s}</code><button>Copy</button></div></div>`,
  ),
  'a secret in a table row': withSecret(
    (s) =>
      `<table><tr><th>Created</th><td>2024-01-01T00:00:00Z</td></tr><tr><th>Client Secret</th><td data-secret>${s}</td></tr></table>`,
  ),
  'a secret in a table column': withSecret(
    (s) =>
      `<table><thead><tr><th>Name</th><th>Client Secret</th></tr></thead><tbody><tr><td>ERP</td><td data-secret>${s}</td></tr></tbody></table>`,
  ),
  'a secret that is labelled by reference': withSecret(
    (s) =>
      `<span id="l">Client Secret</span><p>Keep it safe.</p><div><input readonly aria-labelledby="l" data-secret value="${s}"></div>`,
  ),
  'symbols for help and for copying': ({ id, secret }) =>
    usual({ id, secret })
      .replace(parts.id(id), `<div>Client ID <i role="img" aria-label="question-circle">?</i> <code>${id}</code></div>`)
      .replace(
        parts.secret(secret),
        `<div><label for="s">Client Secret: <button aria-label="More information">ⓘ</button></label><input id="s" readonly value="••••••••"><a href="#" role="button" title="Copy to clipboard" onclick="navigator.clipboard.writeText(h.value)">⧉</a><input type="hidden" id="h" data-secret value="${secret}"></div>`,
      ),
  'an id that is a button, and copies itself': withId(
    (id) => `<div><span>Client ID</span> <button aria-label="Click to copy">${id}</button></div>`,
  ),
  'a secret masked until it is revealed': withSecret((s) =>
    `<div><span>Client Secret</span> <code id="c">••••••••••••</code> <button onclick="c.dataset.secret='';c.textContent=window.now??'${s}';this.textContent='Hide'">Reveal</button></div><script>addEventListener('load',()=>{const old=show;show=(x)=>{window.now=x;old(x)}})</script>`.replace(
      'const old=show;show=',
      'const old=globalThis.show;globalThis.shown=',
    ),
  ),
  'a secret that can only be copied': withSecret(
    (s) =>
      `<div><span>Client Secret</span> <span>••••••••</span> <input type="hidden" id="h" data-secret value="${s}"><button onclick="navigator.clipboard.writeText(h.value)">Copy</button></div>`,
  ),
  'a zone as details': withZone(`<details><summary>Danger Zone</summary>${parts.rows}</details>`),
  'a zone as a heading with a click handler': withZone(
    `<h2 onclick="zone.hidden=!zone.hidden">Danger Zone</h2><div id="zone" hidden>${parts.rows}</div>`,
  ),
  'a zone folded by its height': withZone(
    `<h2 onclick="zone.style.maxHeight=zone.style.maxHeight?'':'500px'">Danger Zone</h2><div id="zone" style="max-height:0;overflow:hidden"><style>#zone{max-height:0}</style>${parts.rows}</div>`,
  ),
  'a zone with a button beside its title': withZone(
    `<div class="head"><b>Danger Zone</b><div><button aria-label="Expand" aria-expanded="false" aria-controls="zone" onclick="this.setAttribute('aria-expanded','true');zone.hidden=false"><svg width="9" height="9"></svg></button></div></div><div id="zone" hidden>${parts.rows}</div>`,
  ),
  'a zone as a tab': withZone(
    `<div role="tablist"><button role="tab" aria-controls="p1" aria-selected="true">General</button><button role="tab" aria-controls="zone" onclick="zone.hidden=false">Danger Zone</button></div><div role="tabpanel" id="p1">Hi</div><div role="tabpanel" id="zone" hidden>${parts.rows}</div>`,
  ),
  'a zone that is open already': withZone(`<section><h2>Danger Zone</h2>${parts.rows}</section>`),
  'a zone that closes by itself': withZone(
    `<h2 onclick="zone.hidden=false;setTimeout(()=>{zone.hidden=true},700)">Danger Zone</h2><div id="zone" hidden>${parts.rows}</div>`,
  ),
  'a zone that is plain text': withZone(
    `<div style="cursor:pointer" onclick="zone.hidden=false">⚠ Danger Zone ▾</div><div id="zone" hidden>${parts.rows}</div>`,
  ),
  'a zone whose heading has the button that unfolds it beside it': withZone(
    `<section><div style="display:flex;justify-content:space-between"><h3>Danger Zone</h3><button aria-expanded="false" aria-controls="zone" onclick="zone.hidden=!zone.hidden;this.setAttribute('aria-expanded',String(!zone.hidden))">▾<span style="position:absolute;width:1px;height:1px;overflow:hidden">Toggle</span></button></div><div id="zone" hidden>${parts.rows}</div></section>`,
  ),
  'a zone with a button that is announced as its heading reads': withZone(
    `<div><div style="display:flex"><span id="t">Danger Zone</span><div><button aria-label="Danger Zone" aria-controls="zone" aria-expanded="false" onclick="zone.hidden=!zone.hidden;this.setAttribute('aria-expanded',String(!zone.hidden))"><svg width="14" height="14"></svg></button></div></div><div id="zone" role="region" aria-labelledby="t" hidden>${parts.rows}</div></div>`,
  ),
  'a zone whose heading has a menu beside it': withZone(
    `<div><div style="display:flex"><h3 onclick="zone.hidden=false">Danger Zone</h3><button aria-label="More" aria-haspopup="menu" aria-expanded="false" onclick="other('menu')">⋮</button></div><div id="zone" hidden>${parts.rows}</div></div>`,
  ),
  'a zone with a link to it in a menu': (page) =>
    usual(page).replace('<main>', '<nav><a href="#zone">Danger Zone</a></nav><main>'),
  'sections without rows': withRows(
    `<h3>Rotate Secret</h3><p>Replaces it.</p><button onclick="ask()">Rotate</button><h3>Rotate webhook key</h3><button onclick="other('webhook')">Rotate</button>`,
  ),
  'row labels': withRows(
    `<div class="row"><span>Rotate Secret</span><button onclick="ask()">Rotate</button></div><div class="row"><span>Rotate webhook key</span><button onclick="other('webhook')">Rotate</button></div><div class="row"><span>Delete client</span><button onclick="other('delete')">Delete</button></div>`,
  ),
  'a description for a label': withRows(
    `<ul><li><p>Rotate secret. The old one stops working at once.</p><button onclick="ask()">Rotate</button></li><li><p>Delete this client for good.</p><button onclick="other('delete')">Delete</button></li></ul>`,
  ),
  'a list': withRows(
    `<ul><li>Rotate Secret <button onclick="ask()">Rotate</button></li><li>Webhook key <button onclick="other('webhook')">Rotate</button></li></ul>`,
  ),
  'a help link in the section': withRows(
    `<div class="row"><div><h3>Rotate Secret</h3><p>Read <a href="#help">more</a>. <button aria-label="Help" onclick="other('help')">?</button></p></div><div class="col"><button onclick="ask()">Rotate</button></div></div>`,
  ),
  'other buttons named Rotate': (page) =>
    usual(page).replace(
      '</h1>',
      `</h1><section><h2>Webhooks</h2><p>Signing key</p><button onclick="other('webhook')">Rotate</button></section>`,
    ),
  'a button that is labelled by itself and its heading': withRows(
    `<div class="row"><h3 id="t">Rotate Secret</h3><button id="r" aria-labelledby="r t" onclick="ask()">Rotate</button></div>`,
  ),
  'a row with a title that is announced as the name of the row only': withRows(
    `<div role="group" aria-labelledby="t"><span id="t" aria-hidden="true">Rotate Secret</span><button onclick="ask()">Rotate</button></div><div role="group" aria-labelledby="u"><span id="u" aria-hidden="true">Delete client</span><button onclick="other('delete')">Delete</button></div>`,
  ),
  'a button that says more to those who hear it': withRows(
    `<div class="row"><p>Rotate Secret</p><button onclick="ask()">Rotate<span style="position:absolute;width:1px;height:1px;overflow:hidden">, client secret</span></button></div>`,
  ),
  'buttons without a role': withRows(
    `<div class="row"><div>Rotate Secret</div><div style="cursor:pointer" onclick="ask()">Rotate</div></div>`,
  ),
  'an ARIA dialog at the end of the body': withDialog(
    `<div class="modal" role="dialog" aria-modal="true" hidden style="position:fixed;inset:0;background:#fff"><h2>Rotate client secret</h2><p>Are you sure?</p><button onclick="press()">Yes, rotate</button></div>`,
  ),
  'an alert dialog': withDialog(
    `<div class="modal" role="alertdialog" hidden style="position:fixed;top:0"><h2>Rotate client secret</h2><button onclick="press()">Rotate secret</button></div>`,
  ),
  'a dialog without a role': withDialog(
    `<div class="modal" hidden style="position:fixed;inset:0;background:#0008"><div style="background:#fff"><h2>Rotate client secret</h2><button onclick="press()">Rotate</button></div></div>`,
  ),
  'window.confirm': (page) =>
    usual(page).replace(
      'onclick="ask()"',
      `onclick="if (confirm('Rotate the client secret now? This cannot be reverted.')) press()"`,
    ),
  'window.prompt': (page) =>
    usual(page).replace(
      'onclick="ask()"',
      `onclick="if (prompt('Type ROTATE to rotate the client secret') === 'ROTATE') press()"`,
    ),
  'a word to type': inDialog(
    `<p>Type <b>ROTATE</b> to confirm.</p><input oninput="b.disabled=this.value!=='ROTATE'"><button id="b" disabled onclick="press()">Rotate</button>`,
  ),
  'a word in quotes': inDialog(
    `<p>To confirm, type "rotate my secret" below.</p><input oninput="b.disabled=this.value!=='rotate my secret'"><button id="b" disabled onclick="press()">Rotate</button>`,
  ),
  'a word in the label': inDialog(
    `<label>Type ROTATE to confirm<input oninput="b.disabled=this.value!=='ROTATE'"></label><button id="b" disabled onclick="press()">Rotate</button>`,
  ),
  'a word at the end of its line': inDialog(
    `<label>Type ROTATE<input oninput="b.disabled=this.value!=='ROTATE'"></label><p>It cannot be reverted.</p><button id="b" disabled onclick="press()">Rotate</button>`,
  ),
  'a dialog in a shadow root, with slots for what it says': withDialog(
    `<x-dialog class="modal" hidden><p>Services that use the current secret lose access.</p><x-input></x-input><label><x-box></x-box> I understand</label><button slot="footer" id="b" disabled onclick="press()">Rotate</button></x-dialog>
    <script>const define=(name,markup)=>customElements.define(name,class extends HTMLElement{connectedCallback(){this.attachShadow({mode:'open'}).innerHTML=markup}get inner(){return this.shadowRoot.querySelector('input')}});
    define('x-dialog','<style>:host{display:contents}:host([hidden]){display:none}</style><div role="dialog" aria-label="Rotate secret" style="position:fixed;top:0;background:#fff"><h2>Rotate secret</h2><slot></slot><slot name="footer"></slot></div>');
    define('x-input','<label for="i">Type ROTATE to confirm</label><input id="i">');
    define('x-box','<div><input type="checkbox"></div>');
    const [w,k]=[document.querySelector('x-input'),document.querySelector('x-box')];
    for(const e of [w,k])e.addEventListener('input',()=>{b.disabled=!(w.inner.value==='ROTATE'&&k.inner.checked)})</script>`,
  ),
  'the client id to type': (page) =>
    inDialog(
      `<p>Enter the client ID to continue.</p><input oninput="b.disabled=this.value!=='${page.id}'"><button id="b" disabled onclick="press()">Rotate</button>`,
    )(page),
  'the client’s name to type': (page) =>
    inDialog(
      `<p>Type the client's name to confirm.</p><input oninput="b.disabled=this.value!=='ERP integration'"><button id="b" disabled onclick="press()">Rotate</button>`,
    )(page).replace('</h1>', '</h1><h2>ERP integration</h2>'),
  'a dialog that assistive technology does not see': withDialog(
    `<div class="modal" role="dialog" aria-hidden="true" hidden style="position:fixed;inset:0;background:#fff"><p>Are you sure?</p><button>Cancel</button><button onclick="press()">Rotate</button></div>`,
  ),
  'a button that moves under something until a box is ticked': inDialog(
    `<style>@keyframes m{to{transform:translateX(3px)}}</style><label><input type="checkbox" onchange="b.style.animation='none';c.remove()"> I understand</label><p style="position:relative;width:200px"><i id="c" style="position:absolute;inset:0;background:#fff"></i><button id="b" style="animation:m 80ms infinite alternate" onclick="press()">Rotate</button></p>`,
  ),
  'a link to a page of another subject': inDialog(
    `<p>Not sure? <a href="/docs/billing#delete">Read more</a></p><button onclick="press()">Rotate</button>`,
  ),
  'a box to tick': inDialog(
    `<label><input type="checkbox" onchange="b.disabled=!this.checked"> I understand that this cannot be reverted</label><label><input type="checkbox" onchange="other('box')"> Tell my colleagues</label><button id="b" disabled onclick="press()">Rotate</button>`,
  ),
  'a word and a box': inDialog(
    `<p>Type ROTATE to confirm</p><input id="w" oninput="c()"><label><input type="checkbox" id="k" onchange="c()"> I understand</label><button id="b" disabled onclick="press()">Rotate</button><script>function c(){b.disabled=!(w.value==='ROTATE'&&k.checked)}</script>`,
  ),
  'boxes that the page draws itself': inDialog(
    `<label><input type="checkbox" id="k" style="display:none" onchange="c()"><i style="display:inline-block;width:14px;height:14px;border:1px solid"></i> I understand</label>
    <p><input type="checkbox" id="n" onchange="c()"> <span>I am aware of it</span></p>
    <p style="position:relative"><input type="checkbox" id="l" style="position:absolute;left:0;opacity:0;z-index:-1" onchange="c()"><label for="l" style="display:block;background:#eee">I know that it is immediate</label></p>
    <p><span role="switch" tabindex="0" aria-checked="false" aria-labelledby="ml" id="m" style="display:inline-block;width:30px;height:16px" onclick="this.ariaChecked=String(this.ariaChecked!=='true');c()"></span><span id="ml">I confirm the rotation</span></p>
    <button id="b" disabled onclick="press()">Rotate</button><script>function c(){b.disabled=!(k.checked&&l.checked&&n.checked&&m.ariaChecked==='true')}</script>`,
  ),
  'a field for the client id that nothing explains': (page) =>
    inDialog(
      `<label>Client ID <input oninput="b.disabled=this.value!=='${page.id}'"></label><button id="b" disabled onclick="press()">Rotate</button>`,
    )(page),
  'a text on lines of its own to type': inDialog(
    `<p>To proceed, type the following text:</p><pre>rotate client secret</pre><input oninput="b.disabled=this.value!=='rotate client secret'"><button>Cancel</button><button id="b" disabled onclick="press()">Yes, rotate it!</button>`,
  ),
  'a word that is looked at when a key is let go and the field is left': inDialog(
    `<p>Type ROTATE to confirm</p><input onkeyup="this.dataset.typed=this.value" onchange="b.disabled=this.dataset.typed!=='ROTATE'"><button id="b" disabled onclick="press()">Rotate</button>`,
  ),
  'a page that listens to every click before anybody else': (page) =>
    `<script>addEventListener('click',(e)=>{if(e.target.id==='b')press()},true)</script>${inDialog('<button id="b">Rotate</button>')(page)}`,
  'a button that is enabled late': (page) =>
    inDialog(`<button id="b" disabled onclick="press()">Rotate</button>`)(page).replace(
      'onclick="ask()"',
      `onclick="ask();setTimeout(()=>{b.disabled=false},1200)"`,
    ),
  'a cookie wall over everything': (page) =>
    `${usual(page)}<div id="wall" style="position:fixed;inset:0;background:#fffc;z-index:9"><p>We use cookies.</p><button onclick="wall.remove();other('cookies')">Accept all</button><button onclick="wall.remove()">Reject all</button></div>`,
  'a consent wall in a shadow root': (page) =>
    `${usual(page)}<aside id="wall"></aside><script>wall.attachShadow({mode:'open'}).innerHTML='<div style="position:fixed;inset:0;background:#fffc;z-index:9"><p>We use cookies.</p><button>More information</button><button onclick="wall.remove()">Deny</button><button onclick="wall.remove()">Accept all</button></div>'</script>`,
  'a chat window over the button': (page) =>
    `${usual(page)}<div id="chat" style="position:fixed;inset:0;z-index:9;background:#eee"><button aria-label="Close chat" onclick="chat.remove()">×</button></div>`,
  'two clients': (page) =>
    `<h1>Developer Tools</h1><article><h2>First</h2>${parts.id(page.other)}${parts.secret('another-secret-of-another-client').replace('data-secret', '')}<h3>Danger Zone</h3><div class="row"><h4>Rotate Secret</h4><button onclick="other('wrong client')">Rotate</button></div></article><article><h2>Second</h2>${parts.id(page.id)}${parts.secret(page.secret)}<h3>Danger Zone</h3><div class="row"><h4>Rotate Secret</h4><button onclick="ask()">Rotate</button></div></article>${parts.dialog(parts.buttons)}`,
  'two clients in a table, each with a zone beneath': (page) => {
    const client = (id: string, secret: string, button: string) =>
      `<tbody><tr><td>${id}</td>${secret}</tr><tr><td colspan="2"><details><summary>Danger Zone</summary><p><b>Rotate Secret</b> ${button}</p></details></td></tr></tbody>`;
    return `<h1>Developer Tools</h1><table><thead><tr><th>Client ID</th><th>Client Secret</th></tr></thead>${client(page.other, '<td>another-secret-of-another-client</td>', `<button onclick="other('wrong client')">Rotate</button>`)}${client(page.id, `<td data-secret>${page.secret}</td>`, '<button onclick="ask()">Rotate</button>')}</table>${parts.dialog(parts.buttons)}`;
  },
  'a slow app with skeletons': (page) =>
    `<div id="app"><h1>Developer Tools</h1><p>You have no client yet.</p><div class="skeleton">Client Secret <code>…</code></div></div><template id="later">${usual(page).replace(/<dialog[\s\S]*/, '')}</template>${parts.dialog(parts.buttons)}<script>fetch('/slow').then(() => app.replaceChildren(later.content))</script>`,
  'animations everywhere': (page) =>
    `<style>@keyframes in { from { transform: translateY(400px); opacity: 0 } } dialog, #zone { animation: in 600ms } #zone { transition: all 600ms }</style>${usual(page)}`,
  'toasts over the button': (page) =>
    usual(page).replace(
      'onclick="ask()"',
      `onclick="ask();const t=document.createElement('div');t.style='position:fixed;inset:0';t.textContent='Saved';document.querySelector('.modal').append(t);setTimeout(()=>t.remove(),1200)"`,
    ),
  'a countdown, and a banner in the dialog over its button': inDialog(
    `<p>This dialog closes in <span id="n">60</span> s.</p>${parts.buttons}<div id="ban" style="position:absolute;inset:0;background:#eee"><p>We use cookies.</p><button onclick="ban.remove()">OK</button></div><script>setInterval(()=>{n.textContent=n.textContent-1},700)</script>`,
  ),
  'a dialog that never says the same twice': inDialog(
    `<p>This dialog closes in <span id="n">9999</span> ms.</p>${parts.buttons}<script>setInterval(()=>{n.textContent=n.textContent-1},20)</script>`,
  ),
  'a dialog that is drawn anew and loses its field for a moment': inDialog(
    `<p>Type <b>ROTATE</b> to confirm.</p><div id="box"></div><button onclick="press()">Rotate</button><script>let k=0;const draw=()=>{box.innerHTML='<input>';if(k++<9)setTimeout(()=>{box.innerHTML='<i>…</i>';setTimeout(draw,60)},60)};draw()</script>`,
  ),
  'a field to type into that clips what is around it': inDialog(
    `<p>Type <b>ROTATE</b> to confirm.</p><label style="overflow:hidden"><input oninput="b.disabled=this.value!=='ROTATE'"></label><button id="b" disabled onclick="press()">Rotate</button>`,
  ),
  'a word that is put into a sentence from outside': inDialog(
    `<x-ask><b slot="w">ROTATE</b></x-ask><input oninput="b.disabled=this.value!=='ROTATE'"><button id="b" disabled onclick="press()">Rotate</button><script>document.querySelector('x-ask').attachShadow({mode:'open'}).innerHTML='<p>Please type <slot name=w></slot> and click Rotate.</p>'</script>`,
  ),
  'a button that is enabled in a part that is not': (page) =>
    inDialog('<div aria-disabled="true"><button aria-disabled="false" onclick="press()">Rotate</button></div>')(page),
  'a page that is busy for a while after a click': (page) =>
    `${usual(page)}<script>addEventListener('click',(e)=>{if(e.target.textContent==='Danger Zone')setTimeout(()=>{for(const until=performance.now()+1200;performance.now()<until;);},15)})</script>`,
  'a word that only a field in a shadow root speaks of, beside a box': inDialog(
    `<p>The current secret stops working.</p><x-field></x-field><label><input type="checkbox" id="k" onchange="c()"> I understand</label><button>Cancel</button><button id="b" disabled onclick="press()">Rotate</button><script>const root=document.querySelector('x-field').attachShadow({mode:'open'});root.innerHTML='<label for="w">Type ROTATE to confirm</label><input id="w">';const c=()=>{b.disabled=!(k.checked&&root.querySelector('input').value==='ROTATE')};root.querySelector('input').oninput=c</script>`,
  ),
  'a dialog that stands in its place unseen before it comes in': (page) =>
    inDialog(`<button onclick="window.unseen?other('unseen'):press()">Rotate</button>`)(page).replace(
      'onclick="ask()"',
      `onclick="ask();window.unseen=true;const d=document.querySelector('dialog');d.style.opacity=0;setTimeout(()=>{window.unseen=false;d.style.opacity='';d.animate([{transform:'translate(-600px,200px)'},{}],400)},150)"`,
    ),
  'a label around its field and a button, before another secret': withSecret(
    (s) =>
      `<label>Client Secret <input readonly data-secret value="${s}"><button>Copy</button></label>${anotherSecret}`,
  ),
  'a label with a badge in it, before another secret': withSecret(
    (s) => `<label>Client Secret <b>Active</b> <input readonly data-secret value="${s}"></label>${anotherSecret}`,
  ),
  'a field that is disabled, with a placeholder': withSecret(
    (s) => `<div><div>Client Secret</div><input disabled placeholder="Please enter" data-secret value="${s}"></div>`,
  ),
  'a value in a label that names no field': withSecret(
    (s) => `<label for="gone"><div>Client Secret</div><div><span data-secret>${s}</span></div></label>`,
  ),
  'a value that is shown in two pieces': withSecret(
    (s) =>
      `<div><span>Client Secret</span> <span><span id="a">${s.slice(0, 16)}</span><span id="b">${s.slice(16)}</span></span><input type="hidden" id="h" data-secret value="${s}"><button onclick="navigator.clipboard.writeText(h.value)">Copy</button></div>`,
  ),
  'a value that is cut off, with a button named by the role of its icon': withSecret(
    (s) =>
      `<div><span>Client Secret</span> <span><span>${s.slice(0, 16)}</span><span>…</span></span><input type="hidden" id="h" data-secret value="${s}"><button onclick="navigator.clipboard.writeText(h.value)"><span role="img" aria-label="copy"><svg width="9" height="9"></svg></span></button></div>`,
  ),
  'a mask that begins as the secret does': withSecret(
    (s) =>
      `<div><span>Client Secret</span> <code>ta_live_xxxxxxxxxxxx${s.slice(-4)}</code><input type="hidden" id="h" data-secret value="${s}"><button onclick="navigator.clipboard.writeText(h.value)">Copy</button></div>`,
  ),
  'icons of a font that draws their names': withRows(
    `<div class="row"><h3><i class="material-icons">vpn_key</i>Rotate Secret</h3><button onclick="ask()"><i class="material-icons">autorenew</i>Rotate</button></div>`,
  ),
  'rows that are lit under the pointer': withRows(
    `<div style="cursor:pointer"><span>Rotate Secret</span><button onclick="ask()">Rotate</button></div><div style="cursor:pointer"><span>Webhook key</span><button onclick="other('webhook')">Rotate</button></div>`,
  ),
  'a row of web components with a slot for the title and one for the button': (page) =>
    `${withRows(`<x-row><div slot="headline">Rotate Secret</div><x-button slot="end">Rotate</x-button></x-row>`)(page)}<script>customElements.define('x-button',class extends HTMLElement{connectedCallback(){this.attachShadow({mode:'open'}).innerHTML='<button><slot></slot></button>';this.onclick=()=>ask()}});customElements.define('x-row',class extends HTMLElement{connectedCallback(){this.attachShadow({mode:'open'}).innerHTML='<div style="display:flex"><slot name="headline"></slot><slot name="end"></slot></div>'}})</script>`,
  'a card with a text beside the button': withRows(
    `<div class="card"><div class="head"><div>Rotate Secret</div></div><div class="body"><div>Generates a new client secret. The current one stops working.</div><button onclick="ask()">Rotate</button></div></div>`,
  ),
  'cells of a grid, without rows around them': withRows(
    `<div class="grid"><div class="c8"><p>Webhook secret</p></div><div class="c4"><button onclick="other('webhook')">Rotate</button></div><div class="c8"><p>Rotate Secret</p></div><div class="c4"><button onclick="ask()">Rotate</button></div><div class="c8"><p>Delete client</p></div><div class="c4"><button onclick="other('delete')">Delete</button></div></div>`,
  ),
  'a badge beside the secret': withSecret(
    (s) => `<dl><dt>Client Secret</dt><dd><span data-secret>${s}</span> <small>rotated just now</small></dd></dl>`,
  ),
  'a badge within what holds the secret': (page) =>
    withSecret((s) => `<dl><dt>Client Secret</dt><dd><code>${s} <span class="badge">New</span></code></dd></dl>`)(
      page,
    ).replace('onclick="press()"', 'onclick="press().then(()=>location.reload())"'),
  'a table with a word about each row': withRows(
    `<table><thead><tr><th>Action</th><th>Impact</th><th></th></tr></thead><tbody><tr><td>Rotate Secret</td><td>High</td><td><button onclick="ask()">Rotate</button></td></tr><tr><td>Delete client</td><td>Irreversible</td><td><button onclick="other('delete')">Delete</button></td></tr></tbody></table>`,
  ),
  'a card of webhooks before a zone without a heading of its own': ({ id, secret }) =>
    `<main><section><h2>API</h2>${parts.id(id)}${parts.secret(secret)}</section><div class="card"><h2>Webhooks</h2><p>None yet.</p><button onclick="other('webhook')">Add</button></div><details><summary>Danger Zone</summary>${parts.rows}</details></main>${parts.dialog(parts.buttons)}`,
  'a label that its buttons run on from': withDialog(
    parts.dialog(
      `<p><label>Type ROTATE <input oninput="b.disabled=false" id="w"></label><button>Cancel</button><button id="b" onclick="w.value==='ROTATE'?press():other(w.value)">Rotate</button></p>`,
    ),
  ),
  'the word below, which is the placeholder': withDialog(
    parts.dialog(
      `<p>To confirm, type the word below</p><input placeholder="ROTATE" id="w"><button onclick="w.value==='ROTATE'?press():other(w.value)">Rotate</button>`,
    ),
  ),
  'the name, which is beside its label': (page) =>
    `<dl><dt>Name</dt><dd>Farm Monitor</dd></dl>${withDialog(parts.dialog(`<p>Type the client name to confirm.</p><input id="w"><button onclick="w.value==='Farm Monitor'?press():other(w.value)">Rotate</button>`))(page)}`,
  'a window.prompt for the name': (page) =>
    `<dl><dt>Name</dt><dd>Farm Monitor</dd></dl>${usual(page).replace('onclick="ask()"', `onclick="const w=prompt('Type the name of the client to rotate its secret');if(w!==null)w==='Farm Monitor'?press():other(w)"`)}`,
  'a list of clients in the dialog, with ours chosen': (page) =>
    withDialog(
      parts.dialog(
        `<select><option value="${page.other}">Legacy</option><option selected value="${page.id}">Farm</option></select>${parts.buttons}`,
      ),
    )(page),
  'labels that are written small': (page) =>
    usual(page).replace(
      parts.id(page.id) + parts.secret(page.secret),
      `<p><small>Client ID</small><br>${page.id}</p><p><small>Client Secret</small> <code><small data-secret>${page.secret}</small></code></p>`,
    ),
  'webhooks in the title of the page': (page) => usual(page).replace('<h1>Developer Tools</h1>', '<h1>Webhooks</h1>'),
  'webhooks under a heading before a zone that has none': ({ id, secret }) =>
    `<main><h2>API</h2>${parts.id(id)}${parts.secret(secret)}<h2>Webhooks</h2><p>None yet.</p><button onclick="other('webhook')">Add</button><details><summary>Danger Zone</summary>${parts.rows}</details></main>${parts.dialog(parts.buttons)}`,
  'a dialog on another page, which is slow': (page) =>
    `${usual(page).replace('<button onclick="ask()">Rotate</button>', '<a role="button" href="/developer-tools?modal">Rotate</a>')}<script>if(location.search)fetch('/slow').then(()=>ask())</script>`,
  'a page that reports each click and each change': (page) =>
    `${usual(page).replace(/<dialog[\s\S]*<\/dialog>/, parts.dialog('<p>Type ROTATE to confirm. You need no password for that.</p><input oninput="b.disabled=false"><button id="b" disabled onclick="press()">Rotate</button>'))}<script>for(const type of ['click','change'])addEventListener(type,()=>{fetch('/report',{method:'POST'});navigator.sendBeacon('/report-too')},true)</script>`,
  'a dialog that speaks of loading and waiting': withDialog(
    parts.dialog(
      `<p>Loading docks need the new secret.</p><p>Please wait up to 30 seconds after rotating.</p>${parts.buttons}`,
    ),
  ),
  'radio buttons that are not shown': withDialog(
    parts.dialog(
      `<div hidden><input type="radio" name="a" checked><input type="radio" name="a"></div>${parts.buttons}`,
    ),
  ),
  'another client, called as a sentence begins': (page) =>
    `<main><h1>Developer Tools</h1><article><h2>Test</h2>${parts.id(page.other)}${parts.secret('another-secret-0')}</article><article><h2>Farm</h2>${parts.id(page.id)}<label>Client Secret <input readonly data-secret value="${page.secret}"></label>${parts.zone(parts.rows)}</article></main>${parts.dialog(`<p>Test your integration afterwards.</p>${parts.buttons}`)}`,
  'a socket that says nothing, and a zone that closes at the click': (page) =>
    `${usual(page).replace('onclick="ask()"', `onclick="if(this.title){ask()}else{this.title='again';zone.hidden=true;document.querySelector('h2 button').setAttribute('aria-expanded','false')}"`)}<script>new WebSocket(location.origin.replace('http','ws'))</script>`,
  'an address that Chromium takes and Node does not': (page) =>
    usual(page).replace(
      'onclick="press()"',
      `onclick="fetch('http://a%20b/',{method:'POST',mode:'no-cors'}).catch(()=>0);press()"`,
    ),
  'a tooltip that speaks of rotating': withRows(
    `<div class="row"><h3>Rotate Secret</h3><button onmouseenter="tip.showPopover()" onclick="setTimeout(ask,300)">Rotate</button></div><div id="tip" popover="manual" role="tooltip" style="inset:auto 0 0 auto">Rotates the client secret</div>`,
  ),
  'a dialog that names itself, with "Close" first': withDialog(
    `<div class="modal" id="m" role="dialog" aria-labelledby="m" aria-modal="true" hidden style="position:fixed;inset:0;background:#fff"><button aria-label="Close" onclick="m.hidden=true">×</button><h1>Rotate client secret?</h1><button onclick="press()">Rotate</button></div>`,
  ),
  'a zone that takes the place of the credentials, of a page that has not loaded all of itself': (page) =>
    `<h1>Developer Tools</h1><div id="creds">${parts.id(page.id)}${parts.secret(page.secret)}</div><h2 onclick="fetch('/slow').then(()=>{creds.remove();zone.hidden=false})">Danger Zone</h2><div id="zone" hidden>${parts.rows}</div>${parts.dialog(parts.buttons)}<script defer src="/slow"></script>`,
  'a settings dialog around everything': (page) =>
    `<div role="dialog" aria-label="Settings" style="position:fixed;inset:0;overflow:auto">${usual(page)}</div>`,
  'web components': ({ id, secret }) =>
    `<dev-tools></dev-tools>${parts.dialog(parts.buttons)}<script>customElements.define('dev-tools', class extends HTMLElement { connectedCallback() { this.attachShadow({mode:'open'}).innerHTML = \`<dl><dt>Client ID</dt><dd>${id}</dd><dt>Client Secret</dt><dd><slot></slot></dd></dl><h2>Danger Zone</h2><div class=row><h3>Rotate Secret</h3><button>Rotate</button></div>\`; this.innerHTML='<code data-secret>${secret}</code>'; this.shadowRoot.querySelector('button').onclick=()=>ask(); } })</script>`,
  'a page that renders itself anew all the time': (page) =>
    `<div id="app"></div><script>const markup=${JSON.stringify(usual(page).replace(/<dialog[\s\S]*/, ''))};let open=false,current=${JSON.stringify(page.secret)};const draw=()=>{app.innerHTML=markup;for(const e of app.querySelectorAll('[data-secret]'))e.value=current;if(open){const z=app.querySelector('#zone');z.hidden=false;app.querySelector('h2 button').setAttribute('aria-expanded','true')}app.querySelector('h2 button').onclick=()=>{open=true;draw()}};draw();setInterval(draw,150);addEventListener('load',()=>{const o=show;window.shown=o;window.press=async()=>{const a=await fetch('/rotate',{method:'POST'});current=(await a.json()).secret;document.querySelector('.modal').close()}})</script>${parts.dialog('<button onclick="window.press()">Rotate</button>')}`,
};

const someForms = chosen(
  Object.entries(forms).map(([name, page]) => ({ name, page })),
  30,
);
test.each(someForms)('$name is pressed once, and nothing else is', ({ page }) => pressedOnce(page));

/** Each time, not by the sample: they were refused, and only on a busy machine. */
const closing: Record<string, [Page, times: object]> = {
  // The banner takes a second, and the wait for another click more than what is left.
  'a zone that closes at once, under a banner': [
    (page) =>
      withZone(
        `<h2 onclick="zone.hidden=false;if(this.title!=='again')setTimeout(()=>{zone.hidden=true});this.title='again'">Danger Zone</h2><div id="zone" hidden>${parts.rows}</div>`,
      )(page).concat(
        '<div id="ban" style="position:fixed;inset:0;background:#eee"><p>We use cookies.</p><button onclick="ban.remove()">OK</button></div>',
      ),
    { clickMs: 1_500, settleMs: 0 },
  ],
  'a zone that takes longer to open than a click waits, and would close at another': [
    withZone(
      `<h2 onclick="if(!zone.hidden)other('again');zone.hidden=!zone.hidden;for(const until=performance.now()+1200;performance.now()<until;);">Danger Zone</h2><div id="zone" hidden>${parts.rows}</div>`,
    ),
    {},
  ],
  'a zone that takes the dialog in its row along when it closes, and shows it again': [
    (page) =>
      withZone(
        `<h2 onclick="zone.hidden=false">Danger Zone</h2><div id="zone" hidden>${parts.rows.replace('Rotate</button>', `$&<div class="modal" role="dialog" hidden><p>Rotate secret?</p>${parts.buttons}</div>`)}</div>`,
      )(page)
        .replace(/<dialog[\s\S]*<\/dialog>/, '')
        .replace('onclick="ask()"', 'onclick="ask();zone.hidden=true"'),
    {},
  ],
};

test.each(Object.entries(closing))('%s is pressed once, and nothing else is', (_name, [page, times]) =>
  pressedOnce(page, times),
);

async function pressedOnce(page: Page, times = {}): Promise<void> {
  portal = await servePortal(
    page,
    () =>
      async ({ url }) =>
        url.pathname === '/slow'
          ? sleep(1_000, new Response(''))
          : url.pathname === '/graphql'
            ? Response.json({})
            : url.pathname.startsWith('/report')
              ? new Response('')
              : undefined,
  );
  // What succeeds takes no longer by this, and no busy machine makes it fail.
  const tools = await open(portal, { times: { clickMs: 8_000, dialogMs: 8_000, ...times } });
  try {
    const before = portal.secret();
    expect(await tools.look(signal)).toBe(before);
    const dialog = await tools.openRotateDialog(signal);
    expect(await tools.shown(signal)).toBe(before);
    expect(portal.rotations).toBe(0);
    await dialog.press(signal);
    await expect.poll(async () => (await tools.shown(signal)) === portal.secret() && portal.rotations).toBe(1);
    expect(portal.secret()).not.toBe(before);
    expect({ rotations: portal.rotations, others: portal.others }).toEqual({ rotations: 1, others: [] });
  } finally {
    await tools.close();
  }
}

const byLocator: Record<string, [Page, locators: object]> = {
  'a label with its field': [
    withSecret((s) => `<label class="s">Token <input readonly value="${s}"></label>`),
    { clientSecret: '.s' },
  ],
  'what copies it': [withId((id) => `<p>App <copy-it value="${id}">⧉</copy-it></p>`), { clientId: 'copy-it' }],
  'the only one to choose': [
    withId((id) => `<p>App <select><option value="${id}">Production</option></select></p>`),
    { clientId: 'select' },
  ],
  'what shows it in its shadow root': [
    withId(
      (id) =>
        `<p>App <x-id></x-id></p><script>document.querySelector('x-id').attachShadow({mode:'open'}).innerHTML='<span>${id}</span>'</script>`,
    ),
    { clientId: 'x-id' },
  ],
};

test.each(Object.entries(byLocator))('a locator may point to %s', async (_name, [page, locators]) => {
  portal = await servePortal(page);
  const tools = await open(portal, { locators });
  expect(await tools.look(signal)).toBe(portal.secret());
  await tools.close();
});

test('a locator that is no CSS is told as that', async () => {
  portal = await servePortal(usual);
  const tools = await open(portal, { locators: { confirm: 'button:has-text("Rotate")' } });
  await tools.look(signal);
  await expect(tools.openRotateDialog(signal)).rejects.toMatchObject({
    category: 'configuration',
    pressed: 'no',
    message: expect.stringContaining('no browser takes "button:has-text("Rotate")" for CSS'),
  });
  expect(portal.rotations).toBe(0);
  await tools.close();
});
