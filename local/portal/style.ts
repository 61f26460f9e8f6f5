/** The portal's style sheet. Open Sans comes first: it is the one font that Chromium for Lambda brings along. */
export const style = `
:root{--ink:#16241f;--muted:#5c6b65;--line:#dfe6e2;--ground:#f5f8f6;--green:#0f7a5a;--green-dark:#0a5f46;--green-soft:#e4f3ec;--red:#c42b2b;--red-dark:#a11f1f;--red-soft:#fdeeee}
*{box-sizing:border-box}
body{margin:0;font:15px/1.5 'Open Sans',system-ui,-apple-system,'Segoe UI',sans-serif;color:var(--ink);background:var(--ground);-webkit-font-smoothing:antialiased}
[hidden]{display:none!important}
h1{font-size:27px;line-height:1.25;margin:0 0 20px;letter-spacing:-.015em}
h2{font-size:17px;margin:0 0 6px}
h3{font-size:15px;margin:0 0 2px}
p{margin:0 0 14px}
a{color:var(--green)}
code{font:13px/1.4 ui-monospace,SFMono-Regular,Menlo,monospace,'Open Sans';background:#eef2f0;padding:2px 6px;border-radius:5px}
.muted{color:var(--muted)}
.small{font-size:13px}
.eyebrow{font-size:12px;font-weight:600;letter-spacing:.06em;text-transform:uppercase;color:var(--green);margin:0 0 4px}
.icon{width:18px;height:18px;flex:none;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.logo{display:flex;align-items:center;gap:10px;font-size:18px;font-weight:700;letter-spacing:-.01em}
.logo svg{width:32px;height:32px}
:focus-visible{outline:2px solid var(--green);outline-offset:2px}

button{font:inherit;font-weight:600;font-size:14px;padding:8px 16px;border:1px solid #c9d3ce;border-radius:8px;background:#fff;color:var(--ink);cursor:pointer;transition:background .12s,border-color .12s,box-shadow .12s}
button:hover{background:#f1f5f3;border-color:#aebbb5}
button:disabled{opacity:.55;cursor:progress}
button.primary{background:var(--green);border-color:var(--green);color:#fff}
button.primary:hover{background:var(--green-dark)}
button.danger{background:var(--red);border-color:var(--red);color:#fff}
button.danger:hover{background:var(--red-dark);border-color:var(--red-dark)}
button.danger:focus-visible{outline-color:var(--red)}
button.wide{width:100%;padding:11px}
label,.label{display:block;font-size:13px;font-weight:600;margin-bottom:6px}
input,textarea{font:inherit;width:100%;padding:9px 12px;border:1px solid #c9d3ce;border-radius:8px;background:#fff;color:var(--ink)}
input:hover,textarea:hover{border-color:#9fada7}
input:focus,textarea:focus{outline:none;border-color:var(--green);box-shadow:0 0 0 3px #0f7a5a26}
input[readonly],textarea[readonly]{background:#f7faf8;font-size:14px;text-overflow:ellipsis}

.app{display:grid;grid-template-columns:248px 1fr;min-height:100vh}
.sidebar{position:sticky;top:0;height:100vh;display:flex;flex-direction:column;gap:28px;padding:22px 14px 14px;background:#fff;border-right:1px solid var(--line)}
.sidebar .logo{padding:0 8px}
.sidebar nav{display:grid;gap:2px}
.sidebar a,.menu button{display:flex;align-items:center;gap:11px;width:100%;padding:9px 10px;border:0;border-radius:8px;background:none;color:#33433c;font-size:14px;font-weight:600;text-decoration:none}
.sidebar a:hover,.menu button:hover{background:#f1f5f3}
.sidebar a[aria-current]{background:var(--green-soft);color:var(--green-dark)}
.account{position:relative;margin-top:auto;border-top:1px solid var(--line);padding-top:10px}
.profile{display:flex;align-items:center;gap:10px;width:100%;padding:8px;border:0;background:none;text-align:left;font-weight:400}
.profile .who{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.profile>.icon{transform:rotate(180deg);color:var(--muted)}
.avatar{display:grid;place-items:center;width:32px;height:32px;border-radius:50%;background:var(--green-soft);color:var(--green-dark)}
.menu{position:absolute;bottom:100%;left:0;right:0;margin-bottom:6px;padding:6px;background:#fff;border:1px solid var(--line);border-radius:12px;box-shadow:0 12px 32px #16241f24}
.app>main{padding:36px 44px 64px;max-width:1080px;width:100%}

.tabs{display:flex;gap:26px;border-bottom:1px solid var(--line);margin-bottom:24px}
.tabs a{padding:0 2px 11px;margin-bottom:-1px;border-bottom:2px solid transparent;color:var(--muted);font-weight:600;font-size:14px;text-decoration:none}
.tabs a:hover{color:var(--ink)}
.tabs a[aria-current]{color:var(--green-dark);border-color:var(--green)}
.card{background:#fff;border:1px solid var(--line);border-radius:12px;padding:22px 24px;margin-bottom:20px;box-shadow:0 1px 2px #16241f0a}
.flush{padding:0;overflow:hidden}
.flush>h2{padding:16px 20px;margin:0}
.flush>p{padding:12px 20px;margin:0}
dl{display:grid;grid-template-columns:140px 1fr;gap:9px 16px;margin:18px 0 0;font-size:14px}
dt{color:var(--muted)}
dd{margin:0}
.field{margin-top:18px;max-width:720px}
.with-button{display:flex;gap:8px}
.icon-button{display:grid;place-items:center;padding:0 11px}
.row{display:flex;align-items:center;justify-content:space-between;gap:24px}
.row p{margin:0;font-size:14px}
.row button{min-width:92px}
section.card>.row{margin-top:14px}
.danger-zone{border-color:#efc4c4}
.danger-zone>h2{padding:0}
.danger-zone>h2 button{display:flex;align-items:center;gap:10px;width:100%;padding:16px 24px;border:0;border-radius:0;background:none;font-size:17px;font-weight:700;color:var(--red)}
.danger-zone>h2 button:hover{background:var(--red-soft)}
.danger-zone>h2 button:focus-visible{outline-offset:-3px;outline-color:var(--red)}
.danger-zone>h2 button .icon:last-child{margin-left:auto;transition:transform .15s}
.danger-zone [aria-expanded=true] .icon:last-child{transform:rotate(180deg)}
.profile[aria-expanded=true]>.icon{transform:none}
.danger-zone .row{padding:18px 24px;border-top:1px solid #f3dcdc}

.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(180px,1fr));gap:20px}
.figures p{margin:0}
.figure{font-size:28px;font-weight:700;letter-spacing:-.02em}
.columns{display:grid;grid-template-columns:2fr 1fr;gap:20px;align-items:start}
table{width:100%;border-collapse:collapse;font-size:14px}
th,td{text-align:left;padding:11px 20px;border-top:1px solid var(--line);white-space:nowrap}
th{font-size:12px;font-weight:600;color:var(--muted);background:#fafcfb}
.tag{font-size:12px;font-weight:600;padding:3px 9px;border-radius:99px}
.good{background:var(--green-soft);color:var(--green-dark)}
.open{background:#fff3d9;color:#7a5200}
.scene{display:block;width:100%;height:190px}
.empty{text-align:center;padding:64px}

.login{display:grid;grid-template-columns:minmax(420px,1fr) 1.2fr;min-height:100vh;background:#fff}
.login main{align-self:center;justify-self:center;width:100%;max-width:384px;padding:32px 12px}
.login .logo{margin-bottom:44px}
.login h1{margin-bottom:4px}
.login form{margin:26px 0}
.login input{margin-bottom:18px;padding:11px 12px}
.login aside{position:relative;overflow:hidden}
.login .scene{position:absolute;inset:0;height:100%}
.login aside p{position:absolute;left:0;right:0;bottom:0;margin:0;padding:110px 48px 48px;color:#fff;font-size:26px;font-weight:600;background:linear-gradient(transparent,#08261cd9)}
.alert{display:flex;align-items:center;gap:10px;padding:10px 14px;border:1px solid #f0c9c9;border-radius:8px;background:var(--red-soft);color:var(--red-dark);font-size:14px}

.backdrop{position:fixed;inset:0;display:grid;place-items:center;padding:20px;background:#0f1f1899;animation:appear .12s}
.dialog{width:100%;max-width:460px;padding:26px;border-radius:14px;background:#fff;box-shadow:0 24px 64px #0006}
.dialog h2{font-size:19px}
.dialog p{font-size:14px}
.badge{width:42px;height:42px;padding:10px;margin-bottom:12px;border-radius:50%;background:var(--red-soft);color:var(--red)}
.actions{display:flex;justify-content:flex-end;gap:10px;margin-top:22px}
dialog.dialog{border:0;color:inherit}
.row .dialog p{margin:0 0 14px}
body>main{max-width:640px;margin:15vh auto}
dialog.dialog::backdrop{background:#0f1f1899}
.dialog input{margin-bottom:14px}
.tick{display:flex;align-items:center;gap:10px;font-weight:400;margin-bottom:14px}
.tick input{width:18px;height:18px;margin:0}
.wall{z-index:3}
.cookie-banner{position:fixed;z-index:2;inset:auto 0 0 0;min-height:45vh;padding:32px 44px;background:#fff;border-top:1px solid var(--line);box-shadow:0 -12px 32px #16241f24}
.chat{position:fixed;z-index:2;right:24px;bottom:24px;width:300px;min-height:160px;padding:14px 18px;border-radius:14px;background:var(--green-dark);color:#fff;box-shadow:0 12px 32px #16241f40}
.chat button{float:right;padding:0 9px;border:0;background:none;color:#fff;font-size:19px}
.skeleton{max-width:720px;margin:0 auto;padding:120px 44px}
.skeleton p{height:64px;margin-bottom:20px;border-radius:12px;background:linear-gradient(90deg,#e6ece9,#f3f6f5,#e6ece9)}
.captcha{margin:0 0 18px;padding:14px;border:1px solid var(--line);border-radius:8px}
.captcha .scene{position:static!important;height:84px!important;margin-bottom:12px}
.captcha input{margin:0}
.login .actions{margin-top:0}
.entry{display:grid;gap:4px;text-decoration:none;color:inherit}
.client{margin-bottom:44px}
.pair{margin-top:18px}
.values{width:auto;margin-top:18px}
.values td,dd,.pair,.field code{overflow-wrap:anywhere;white-space:normal}
.field code{align-self:center}
.field button,.login button{display:inline-flex;align-items:center;justify-content:center;gap:8px}
.account.top{position:absolute;top:22px;right:32px;margin:0;border:0;padding:0}
.account.top .profile{padding:0}
.account.top .avatar{font-size:13px;font-weight:700}
.account.top .menu{top:100%;bottom:auto;left:auto;width:180px}
.menu a{display:flex;align-items:center;gap:11px;padding:9px 10px;color:#33433c;font-size:14px;font-weight:600;text-decoration:none}
.tabs button{padding:0 2px 11px;border:0;border-bottom:2px solid transparent;border-radius:0;background:none;color:var(--muted)}
.tabs [aria-selected=true]{color:var(--green-dark);border-color:var(--green)}
.clickable,summary{cursor:pointer}
.danger-zone>h2:not(:has(button)),summary h2{display:flex;align-items:center;gap:10px;padding:16px 24px;color:var(--red)}
summary{list-style:none}
summary h2{margin:0}
.danger-zone h3{padding:18px 24px 0}
.danger-zone h3~p{padding:0 24px;margin:0}
.danger-zone p:has(>button){padding:10px 24px 18px}
section.danger-zone>.row{margin:0}
.row h3,.row h3~p{padding:0!important}
.animated .dialog{animation:arrive .3s}
.animated [role=region],.animated details,.animated [role=tabpanel]{animation:arrive .3s}
@keyframes arrive{from{opacity:0;translate:0 60px}}
#toasts{position:fixed;right:24px;bottom:24px;display:grid;gap:10px}
#toasts p{margin:0;padding:12px 18px;border-radius:10px;background:var(--ink);color:#fff;font-size:14px;box-shadow:0 10px 28px #0004;animation:appear .18s}
@keyframes appear{from{opacity:0;transform:translateY(6px)}}
@media (prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}
@media (max-width:800px){.app,.columns,.login{grid-template-columns:minmax(0,1fr)}.login aside{display:none}.app>main{padding:24px 18px}
.sidebar{position:static;height:auto;gap:14px}.sidebar nav{grid-template-columns:repeat(2,1fr)}.menu{z-index:1}.row{flex-wrap:wrap}.flush{overflow-x:auto}}
`;
