/** Logins on an origin of their own, by more than one page, and the apps behind them. */
import { type Lab, type OtherPortal, page, session, to } from './server.ts';

const tools = (
  { account, secret }: Lab,
  zone = '',
) => `<header class="bar"><button aria-label="Account" aria-haspopup="true" aria-expanded="false">RO</button></header><h1>Developer Tools</h1>
  <div class="tabs"><a href="/developer-tools">API Access</a> <a href="/webhooks">Webhooks</a></div>
  <section><h2>Basic Information</h2><div class="f"><label for="cid">Client ID</label><div><input id="cid" readonly value="${account.clientId}"><button aria-label="Copy to clipboard"><svg width="9" height="9"></svg></button></div></div>
  <div class="f"><label for="cs">Client Secret</label><div><input id="cs" type="password" readonly value="${secret}"><button aria-label="Toggle secret visibility" onclick="cs.type=cs.type==='text'?'password':'text'"><svg width="9" height="9"></svg></button><button aria-label="Copy to clipboard"><svg width="9" height="9"></svg></button></div><p>The Client Secret is not base64 encoded.</p></div></section>
  <section class="danger"><h2 id="dzh" tabindex="0" role="button" aria-expanded="false" onclick="this.setAttribute('aria-expanded','true');dz.hidden=false">Danger Zone</h2><div id="dz" hidden>${zone}
  <div class="dz-card"><div><h4>Delete this application</h4><p>All your apps using this client will stop working.</p></div><button onclick="fetch('/delete',{method:'POST'})">Delete</button></div>
  <div class="dz-card"><div><h4>Rotate secret</h4><p>All authorized apps will need to be updated with the new client secret.</p></div><button onclick="m.hidden=false">Rotate</button></div></div></section>
  <div id="m" hidden style="position:fixed;inset:0;background:#0007;z-index:50"><div style="background:#fff;margin:99px;padding:9px"><h3>Rotate Client Secret</h3><p>Are you sure you want to rotate the client secret? All authorized apps will need to be updated with the new client secret.</p><button onclick="m.hidden=true">Cancel</button><button onclick="fetch('/api/rotate',{method:'POST'}).then(r=>r.json()).then(j=>setTimeout(()=>{cs.value=j.secret;m.hidden=true},400))">Rotate</button></div></div>`;

const hidden =
  '<input type="hidden" name="state" value="hKFo2SA"><div style="position:absolute;left:-9999px"><input type="text" tabindex="-1" name="honey" aria-hidden="true"></div>';
const box = (title: string, content: string) =>
  `<main class="_widget"><section><header><img alt="TradeAware" width="50" height="50"><h1>${title}</h1></header>${content}</section></main>`;

/** Identifier first, in the manner of a hosted login. */
const universal = (extra: {
  otp?: boolean;
  google?: boolean;
  interstitial?: boolean;
}): Pick<OtherPortal, 'app' | 'loginSite'> => ({
  app:
    (lab) =>
    ({ url, signedIn, method }) => {
      if (url.pathname === '/callback') return to('/', session);
      if (method !== 'GET' || url.pathname.startsWith('/api')) return undefined;
      if (!signedIn) return to(`${lab.login}/u/login/identifier?state=hKFo2SA&ui_locales=en`);
      if (url.pathname === '/developer-tools') return page(tools(lab));
      return page('<h1>Overview</h1><p>Everything is in order.</p>');
    },
  loginSite:
    (lab) =>
    ({ url, method, form }) => {
      const step = url.pathname;
      if (step === '/u/login/identifier') {
        if (method === 'POST')
          return form.get('username') === lab.account.username ? to(`/u/login/password?state=hKFo2SA`) : page('bad');
        return page(
          box(
            'Welcome',
            `<p>Log in to TradeAware to continue.</p><form method="POST">${hidden}<div class="input"><label for="username">Email address<span>*</span></label><input class="input" inputmode="email" name="username" id="username" type="text" value="" required autocomplete="email" autocapitalize="none"></div><div><button type="submit" name="action" value="default">Continue</button></div></form>${extra.google ? '<div class="divider">OR</div><form method="post" action="/google"><button data-provider="google">Continue with Google</button></form>' : ''}<p>Don't have an account? <a href="/signup">Sign up</a></p>`,
          ),
        );
      }
      if (step === '/u/login/password') {
        if (method === 'POST')
          return lab.knows(form.get('username'), form.get('password'))
            ? to(
                extra.otp
                  ? '/u/mfa-otp-challenge?state=hKFo2SA'
                  : extra.interstitial
                    ? '/u/passkey-enrollment'
                    : `${lab.app}/callback?code=abc`,
              )
            : page(box('Enter Your Password', '<span class="error">Wrong email or password</span>'));
        return page(
          box(
            'Enter Your Password',
            `<p>Enter your password for TradeAware to continue to Web App</p><form method="POST">${hidden}<div><span>${lab.account.username}</span> <a href="/u/login/identifier" aria-label="Edit email address">Edit</a><input type="hidden" name="username" value="${lab.account.username}"></div><div><label for="password">Password<span>*</span></label><input name="password" id="password" type="password" required autocomplete="current-password"><button type="button" role="switch" aria-checked="false" aria-label="Show password"><svg width="9" height="9"></svg></button></div><p><a href="/reset">Forgot password?</a></p><button type="submit" name="action" value="default">Continue</button></form>`,
          ),
        );
      }
      if (step === '/u/mfa-otp-challenge') {
        if (method === 'POST') {
          lab.codes.push(String(form.get('code')));
          return to(extra.interstitial ? '/u/passkey-enrollment' : `${lab.app}/callback?code=abc`);
        }
        return page(
          box(
            'Verify Your Identity',
            `<p>Check your preferred one-time password application for a code.</p><form method="POST">${hidden}<div><label for="code">Enter your one-time code<span>*</span></label><input type="text" name="code" id="code" autocomplete="off" inputmode="numeric"></div><div><input type="checkbox" name="rememberBrowser" id="rememberBrowser" value="true"><label for="rememberBrowser">Remember this device for 30 days</label></div><button type="submit" name="action" value="default">Continue</button></form><form method="post" action="/pick"><button type="submit" name="action" value="pick-authenticator">Try another method</button></form>`,
          ),
        );
      }
      if (step === '/u/passkey-enrollment') {
        if (method === 'POST') return to(`${lab.app}/callback?code=abc`);
        return page(
          box(
            'Create a passkey for this device',
            `<p>With passkeys, you don't need to remember complex passwords.</p><form method="post" action="/enroll"><button>Create a passkey</button></form><form method="POST"><button name="action" value="snooze">Continue without passkeys</button></form>`,
          ),
        );
      }
      return undefined;
    },
});

export const portals: Record<string, OtherPortal> = {
  'hosted login, identifier first': { expect: 'pressed', ...universal({ google: true }) },
  'hosted login with one-time code and passkey offer': {
    expect: 'pressed',
    totp: true,
    ...universal({ otp: true, interstitial: true }),
  },
  'hosted login with one-time code, no seed': {
    expect: { category: 'login', says: /one-time code .* no totp_secret/ },
    ...universal({ otp: true }),
  },
  'a session that lasts': { expect: 'pressed', signedIn: true, ...universal({}) },
  'six boxes for the code, sent at the last digit': {
    expect: 'pressed',
    totp: true,
    app:
      (lab) =>
      ({ method, url, form, cookies, signedIn }) => {
        if (url.pathname === '/login' && method === 'POST')
          return lab.knows(form.get('login'), form.get('secret')) ? to('/verify', 'half=1; Path=/') : page('no');
        if (url.pathname === '/verify' && method === 'POST') {
          lab.codes.push(String(form.get('code')));
          return Response.json({}, { headers: { 'set-cookie': session } });
        }
        if (method !== 'GET' || url.pathname.startsWith('/api')) return undefined;
        if (url.pathname === '/verify')
          return page(
            `<h2>Two-factor authentication</h2><p>Enter the 6-digit code from your authenticator app</p><div id="b">${Array.from({ length: 6 }, (_, i) => `<input inputmode="numeric" maxlength="1" aria-label="Digit ${i + 1}">`).join('')}</div><script>const f=[...b.children];f.forEach((e,i)=>e.oninput=async()=>{if(i<5)return f[i+1].focus();await fetch('/verify',{method:'POST',body:new URLSearchParams({code:f.map(x=>x.value).join('')})});location='/developer-tools'})</script>`,
          );
        if (!signedIn)
          return page(
            `<h1>Sign in</h1><form method="post" action="/login"><div>Email<input name="login" type="text"></div><div>Password<input name="secret" type="password"></div><button>Sign in</button></form>${cookies ? '' : ''}`,
          );
        return url.pathname === '/developer-tools' ? page(tools(lab)) : undefined;
      },
  },
  'sign-up beside it, newsletter, search and a trap for robots': {
    expect: 'pressed',
    app:
      (lab) =>
      ({ url, method, form, signedIn }) => {
        if (url.pathname === '/login' && method === 'POST') {
          if (form.get('url')) lab.others.push('the trap');
          return lab.knows(form.get('email'), form.get('password')) ? to('/developer-tools', session) : page('no');
        }
        if (method !== 'GET' || url.pathname.startsWith('/api')) return undefined;
        if (signedIn) return page(tools(lab));
        const fields =
          '<label>Email <input type="email" name="email"></label><label>Password <input type="password" name="password"></label>';
        return page(
          `<header><form action="/search" method="post"><input type="search" name="q" placeholder="Search"><button>Search</button></form></header>
          <section><h2>New here?</h2><form action="/register" method="post">${fields}<label>Confirm password <input type="password" name="again"></label><button>Create account</button></form></section>
          <section><h2>Sign in</h2><form action="/login" method="post"><div style="opacity:0;position:absolute;height:0"><label>Email <input type="email" name="url" tabindex="-1" autocomplete="off"></label></div>${fields}<button>Sign in</button></form></section>
          <footer><form action="/newsletter" method="post"><input type="email" name="email" placeholder="Your e-mail"><button>Subscribe</button></form></footer>`,
        );
      },
  },
  'identifier first, the password’s field in the page all along, a code in one field that is not seen': {
    expect: 'pressed',
    totp: true,
    app:
      (lab) =>
      ({ url, method, form, signedIn }) => {
        if (method === 'POST' && url.pathname === '/identify') return Response.json({});
        if (method === 'POST' && url.pathname === '/login')
          return Response.json({}, { status: lab.knows(form.get('u'), form.get('p')) ? 200 : 401 });
        if (method === 'POST' && url.pathname === '/code') {
          lab.codes.push(String(form.get('code')));
          return Response.json({}, { headers: { 'set-cookie': session } });
        }
        if (method !== 'GET' || url.pathname.startsWith('/api')) return undefined;
        if (signedIn) return page(tools(lab));
        return page(
          `<div class="clip"><div id="track"><section><h1>Sign in</h1><form id="a"><label for="e">Email address</label><input id="e" type="text" name="identifier" autocomplete="username"><button>Continue</button></form></section>
          <section><h1>Enter your password</h1><form id="b"><label for="p">Password</label><input id="p" type="password" name="password"><button>Continue</button></form></section>
          <section><h1>Two-step verification</h1><p>Enter the code of your authenticator app</p><div style="position:relative"><input id="o" aria-label="Verification code" autocomplete="one-time-code" maxlength="6" style="opacity:0;position:absolute;inset:0;width:300px"><div aria-hidden="true">_ _ _ _ _ _</div></div></section></div></div>
          <script>const post=(path,body)=>fetch(path,{method:'POST',body:new URLSearchParams(body)});const show=(n)=>track.style.transform='translateX(-'+n*400+'px)';
          a.onsubmit=async(x)=>{x.preventDefault();if(p.value)post('/early',{});await post('/identify',{u:e.value});setTimeout(show,200,1)};
          b.onsubmit=async(x)=>{x.preventDefault();if((await post('/login',{u:e.value,p:p.value})).ok)show(2)};
          o.oninput=async()=>{if(o.value.length<6)return;await post('/code',{code:o.value});location='/developer-tools'}</script>`,
          {
            head: '<style>.clip{width:400px;overflow:hidden}#track{display:flex;transition:transform .3s}section{width:400px;flex:none}</style>',
          },
        );
      },
  },
  'a start page in the login’s place, a choice of logins, the address lost': {
    expect: 'pressed',
    app:
      (lab) =>
      ({ url, method, form, signedIn }) => {
        if (url.pathname === '/login' && method === 'POST')
          return lab.knows(form.get('email'), form.get('password')) ? to('/', session) : page('no');
        if (method !== 'GET' || url.pathname.startsWith('/api')) return undefined;
        if (url.pathname === '/choose')
          return page(
            `<h1>Welcome back</h1><button onclick="fetch('/google',{method:'POST'})">Continue with Google</button><button onclick="document.body.innerHTML=t.innerHTML">Continue with email</button>
            <template id="t"><form action="/login" method="post"><input type="email" name="email" placeholder="Email"><input type="password" name="password" placeholder="Password"><button>Continue</button></form></template>`,
          );
        if (!signedIn)
          return page(
            `<header><a href="/pricing">Pricing</a> <a href="/choose">Log in</a> <a href="/register">Sign up free</a></header><h1>Deforestation-free supply chains</h1>
            <form action="/newsletter" method="post"><input type="email" placeholder="Work email"><button>Get started</button></form><footer><a href="/choose">Log in</a></footer>`,
          );
        return url.pathname === '/developer-tools' ? page(tools(lab)) : page('<h1>Overview</h1>');
      },
  },
  'a menu folded away, settings of two kinds, a picture for a profile, a card': {
    expect: 'pressed',
    signedIn: true,
    path: '/',
    app:
      (lab) =>
      ({ url, method }) => {
        if (method !== 'GET' || url.pathname.startsWith('/api')) return undefined;
        const shell = `<header><button onclick="n.hidden=!n.hidden"><svg width="9" height="9" aria-hidden="true"></svg><span>Menu</span><span style="display:none">Open the menu</span></button></header>
          <nav id="n" hidden><a href="/workspace">Settings</a> <a href="#" class="user-profile" onclick="m.hidden=!m.hidden"><img alt="Rosa Ober" width="30" height="30"></a><div id="m" hidden><a href="/account">Account settings</a> <a href="/out">Log out</a></div></nav>`;
        const pages: Record<string, string> = {
          '/account': `${shell}<h1>Account settings</h1><a href="/billing"><h3>Plan</h3><p>Invoices</p></a><a href="/client"><h3>Developer Tools</h3><p>Your client and its secret</p></a>`,
          '/client': tools(lab),
          '/workspace': `${shell}<h1>Workspace</h1>`,
          '/': `${shell}<h1>Overview</h1>`,
        };
        if (!pages[url.pathname]) lab.others.push(url.pathname);
        return page(pages[url.pathname] ?? '');
      },
  },
  'a form that gets ready late and empties itself then': {
    expect: 'pressed',
    app:
      (lab) =>
      ({ url, method, signedIn }) => {
        if (method !== 'GET' || url.pathname.startsWith('/api')) return undefined;
        if (signedIn) return page(tools(lab));
        return page(
          `<h1>Sign in</h1><form id="f"><label>Email <input type="email" name="email"></label><label>Password <input type="password" name="password"></label><button disabled>Sign in</button></form>
          <script>setTimeout(()=>{f.reset();f.querySelector('button').disabled=false;f.onsubmit=async(x)=>{x.preventDefault();if((await fetch('/api/session',{method:'POST',body:JSON.stringify({username:f.email.value,password:f.password.value})})).ok)location='/developer-tools'}},1200)</script>`,
        );
      },
  },
  'an approval on the phone first, then a list of second factors': {
    expect: 'pressed',
    totp: true,
    app:
      (lab) =>
      ({ url, method, form, signedIn }) => {
        if (method === 'POST' && url.pathname === '/login')
          return lab.knows(form.get('username'), form.get('password')) ? to('/approve') : page('no');
        if (method === 'POST' && url.pathname === '/code') {
          lab.codes.push(String(form.get('answer')));
          return to('/developer-tools', session);
        }
        if (method !== 'GET' || url.pathname.startsWith('/api')) return undefined;
        if (signedIn) return page(tools(lab));
        if (url.pathname === '/approve')
          return page(
            '<h1>Approve sign-in request</h1><p>We sent a notification to your phone.</p><div>42</div><a href="/factors">Try another method</a>',
          );
        if (url.pathname === '/factors')
          return page(
            `<div id="c" style="transition:opacity .3s"><h1>Verify it's you with a security method</h1><p>Select from the following options</p><h3>Google Authenticator</h3><a href="#" aria-label="Select Google Authenticator." onclick="c.style.opacity=0;setTimeout(()=>{c.innerHTML=t.innerHTML;c.style.opacity=1},900);return false">Select</a><h3>Phone</h3><a href="/text-message" aria-label="Select Phone.">Select</a></div>
            <template id="t"><form action="/code" method="post"><label for="a">Enter code</label><input id="a" name="answer" autocomplete="off"><input type="submit" value="Verify"></form></template>`,
          );
        return page(
          '<h1>Sign in</h1><form action="/login" method="post"><label>Username <input name="username"></label><label>Password <input type="password" name="password"></label><input type="submit" value="Sign in"></form>',
        );
      },
  },
};
