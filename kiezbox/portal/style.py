"""The one style sheet, inside every page.

Contrast is at least 7:1 in both colour schemes (a test computes it). The yellow of the exercise
is a colour that nothing else has. 1.2rem: read at arm's length, by candle light, by somebody old.
"""

from __future__ import annotations

__all__ = ["BESIDE", "STYLE"]

STYLE = """\
:root{color-scheme:light dark;--b:#fff;--t:#14181c;--m:#474f57;--l:#c8ced4;--a:#0b4a8f;\
--w:#fff3cd}\
@media(prefers-color-scheme:dark){:root{--b:#0e1114;--t:#f4f4f2;--m:#b9c0c7;--l:#3a424a;\
--a:#9cc9ff;--w:#3b3000}}\
body{margin:0 auto;max-width:38rem;padding:0 1rem 2rem;font:1.2rem/1.4 system-ui,sans-serif;\
background:var(--b);color:var(--t);overflow-wrap:anywhere}\
header{margin:0 -1rem;padding:.4rem 1rem .8rem;background:#34404c;color:#fff}\
.e header{background:#8c1414}.n header{background:#0d5a2a}\
h1{font-size:2.1rem;line-height:1.15;margin:.4rem 0}h2{font-size:1.35rem;margin:1.5rem 0 .4rem}\
p{margin:.5rem 0}a{color:var(--a)}header a{color:#fff}\
nav a,footer a{display:inline-block;padding:.55rem 0;margin-inline-end:1rem;min-width:2.8rem}\
footer small a{padding:.7rem 0}\
p>a:only-child{display:inline-block;padding:.55rem 0}header p{margin:.35rem 0}\
form p{margin:.7rem 0 .4rem}\
button{font:inherit;font-weight:700;width:100%;padding:.8rem;border:0;border-radius:.5rem;\
background:#0b4a8f;color:#fff}:focus-visible{outline:.2rem solid var(--a);outline-offset:.2rem}\
.x{margin:0 -1rem;padding:.6rem 1rem;background:#ffd600;color:#000;font-weight:700;\
font-size:1.5rem;border:.5rem dashed #000;text-align:center}\
.n p.n,p.n{background:var(--w);border-inline-start:.4rem solid #d08700;padding:.6rem .8rem;\
margin:1rem 0}\
ol{padding-inline-start:1.6rem;margin:.4rem 0}li{margin:.5rem 0}\
article{border:2px solid var(--l);border-radius:.5rem;padding:.2rem .8rem;margin:.8rem 0;\
overflow:hidden}article p{white-space:pre-line}small,.o{color:var(--m);font-size:1rem}\
table{border-collapse:collapse;width:100%}td,th{text-align:start;font-weight:400;hyphens:auto;\
padding:.35rem 0;padding-inline-end:.3rem;border-bottom:1px solid var(--l);vertical-align:top}\
td{font-weight:700;width:45%}"""

#: What only the pages beside the first one need: drawings, codes, numbers to call.
BESIDE = """\
figure{margin:.9rem 0}p bdi{display:inline-block}\
svg{display:block;width:100%;max-width:17rem;margin:.3rem 0}\
.k{width:fit-content;max-width:17rem;box-sizing:border-box;border:.2rem solid var(--a);\
border-radius:.4rem;padding:.5rem .7rem;margin:-.3rem 0 1.2rem;font-weight:700}\
.q{display:flex;flex-wrap:wrap;gap:0 1rem}.q figure{width:9rem}\
.t{list-style:none;padding:0}.t a{display:inline-block;font-size:2rem;padding:.3rem .8rem .3rem 0}\
.l button{background:none;color:var(--a);border:.15rem solid}"""
