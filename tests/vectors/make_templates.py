"""Writes templates.json: templates, their variables, and what jinja2 makes of them.

Run it with `pip install jinja2` (3.1). The environment is the one in which transformers renders chat
templates: sandboxed and immutable, trim_blocks and lstrip_blocks on, loop controls, the tag
`generation`, and tojson, raise_exception and strftime_now of its own. templates/*.jinja are written
for these tests after the shapes that model families' templates have.
"""
import copy
import datetime
import json
from pathlib import Path

import jinja2
import jinja2.ext
import jinja2.nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2025, 8, 1, 13, 5, 9)
HERE = Path(__file__).parent


class Generation(jinja2.ext.Extension):
    """{% generation %}: its body, as it is."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        call = self.call_method("_body")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                      sort_keys=sort_keys)


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                        extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


# ---- Single expressions -----------------------------------------------------------------------

VARIABLES = {
    "n": 7, "neg": -3, "zero": 0, "f": 2.5, "big": 12345678901234, "tiny": 1e-7, "huge": 1.5e300,
    "t": True, "no": False, "none_value": None,
    "s": "Hello, World", "empty": "", "blank": "  padded\t\n", "uni": "Grüße, Ελλάς ß 日本語 🙂",
    "quote": "it's \"both\"", "html": "<a href='x'>1 & 2</a>", "lines": "one\ntwo\n\nfour\n",
    "l": [3, 1, 2], "names": ["bob", "Alice", "carol", "alice"], "nested": [[1, 2], [3, [4, 5]]],
    "mixed": [1, "a", None, True, 2.0, [], {}], "none_list": [],
    "d": {"b": 1, "a": 2, "C": 3}, "keys": {"items": 5, "get": 6, "x y": 7, "_p": 8},
    "people": [{"name": "Ann", "age": 30, "tags": ["x"], "at": {"city": "Rome"}},
               {"name": "bo", "age": 25, "tags": [], "at": {"city": "Oslo"}},
               {"name": "Cy", "age": 30, "at": {"city": "rome"}}],
    "schema": {"type": "object", "properties": {"q": {"type": "string", "enum": ["é", "<b>"]}},
               "required": ["q"], "n": 1.0, "none": None, "deep": [[], {}, [{}]]},
}

EXPRESSIONS = r"""
1
-1
+n
1.0
1e3
1.5E-3
0x1F + 0b101 + 0o17
1_000_000
1_0.2_5
0_0.2_5
0_1_0e1
1e365
-1e365
1e-400
'1e999'|float
'-Infinity'|float
'1_0.5_0e1_0'|float
'1__0'|float(-1)
'_1'|float(-1)
'1_'|float(-1)
'1e'|float(-1)
'e5'|float(-1)
'.'|float(-1)
'+-1'|float(-1)
'007'|float
'1e5'|int
007.5
'single'
"double"
'a' 'b' "c"
'tab\tnewline\nquote\'\x41\u00e9\U0001F642\101\q\\'
'line \
joined'
''
[]
[1, 'a', none, true, 2.0, [3]]
(1,)
(1, 2)
()
1, 2
{}
{'a': 1, "b": [2], 3: 'c', none: true}
{'a': 1, 'a': 2}
[1, 2,]
true
True
false
False
none
None
n + 1
n - 10
n * 3
n / 2
n // 2
neg // 2
n % 3
neg % 5
n % -3
neg / 2
7.5 // 2
-7.5 // 2
7.5 % 2
-7.5 % 2
2 ** 10
2 ** -1
2.0 ** 3
-2 ** 2
2 ** 3 ** 2
1 + 2 * 3
(1 + 2) * 3
10 - 2 - 3
100 / 10 / 2
1 ~ 2 ~ 'a'
1 ~ none ~ true ~ 1.5
'a' + 'b' * 3
3 * 'ab'
'ab' * 0
'ab' * -1
[1] * 3
[1, 2] + [3]
(1,) + (2,)
true + true
true * 3
f + n
f * 2
big * 1000
tiny
huge
1e16
1e15
123456789.123
0.1 + 0.2
1 / 3
100.0
1e22
1e-5
0.0001
-0.0
3.0 == 3
1 == true
0 == false
'1' == 1
none == false
[1, 2] == [1, 2]
[1, 2] == (1, 2)
(1, 2) == (1, 2)
{'a': 1} == {'a': 1.0}
{'a': 1, 'b': 2} == {'b': 2, 'a': 1}
missing == missing
missing == none
1 < 2
1 < 2 < 3
1 < 2 > 3
1 < 3 > 2 >= 2
'a' < 'b'
'Z' < 'a'
'é' > 'z'
[1, 2] < [1, 3]
[1] < [1, 0]
(1, 'a') < (2, 'b')
1 != 2
'a' != 'a'
1 <= 1.0
1 in [1, 2]
3 in l
9 not in l
'ell' in s
'' in s
'' in ''
'x' not in s
'a' in d
1 in d
2 in d.values()
('a', 2) in d.items()
1 in missing
true in [1]
not true
not not n
not n == 7
not 1 in l
true and false
0 or 'x'
'' and 1
n and s
none or missing or 'end'
1 and 2 or 3
not none and true
'yes' if t else 'no'
'yes' if no else 'no'
'yes' if no
('yes' if no) is defined
1 if false else 2 if false else 3
(1 if t else 2) + 1
'a' if t and not no else 'b'
s[0]
s[-1]
s[100]
s[100] is defined
s[0:5]
s[:5]
s[7:]
s[-5:]
s[:-7]
s[::2]
s[::-1]
s[5:0:-1]
s[10:2]
s[100:]
s[-100:3]
uni[0:5]
uni[-1]
uni[::-1]
uni[3]
l[0]
l[-1]
l[5]
l[1:]
l[::-1]
l[-2:]
l[:0]
(1, 2, 3)[1:]
(1, 2, 3)[::-1]
range(10)[3]
range(3)
range(1, 10, 3)
range(5)|list
range(5, 0, -2)|list
range(0)|list
nested[1][1][0]
nested.1.1.0
d.a
d['a']
d.missing
d['missing'] is defined
d.missing is defined
keys.items is callable
keys['items']
keys.get is callable
keys['x y']
keys._p
keys['_p']
keys.get('get')
people[0].at.city
people[0]['at']['city']
missing
missing is defined
missing is undefined
n is defined
none_value is defined
none_value is none
missing is none
n is number
f is number
t is number
'1' is number
n is integer
t is integer
f is integer
f is float
n is float
t is boolean
n is boolean
s is string
n is string
d is mapping
l is mapping
l is sequence
s is sequence
d is sequence
n is sequence
missing is sequence
d.items() is sequence
(1,) is sequence
l is iterable
s is iterable
n is iterable
d is iterable
missing is iterable
range(3) is sequence
range(3) is iterable
l|map('string') is iterable
l|map('string') is sequence
range is callable
s.upper is callable
s is callable
missing is callable
t is true
n is true
1 is true
no is false
none is false
n is odd
n is even
n is divisibleby 7
n is divisibleby(2)
n is eq 7
n is equalto(7)
n is ne 8
n is lt 8
n is gt 8
n is ge 7
n is le 6
n is sameas 7
none is sameas none
l is sameas l
[1] is sameas [1]
1 is sameas true
'a' is in ['a', 'b']
'a' is in 'cba'
n is not none
n is not defined
s is not string
'ABC' is upper
'aBC' is upper
'abc' is lower
'123' is lower
'upper' is filter
'nope' is filter
'odd' is test
not n is odd
n is odd and n is gt 3
'x' is string or 1
n is defined and d is mapping
1 is eq 1 is eq true
s|upper
s|lower
uni|upper
uni|lower
uni|length
s|length
l|count
d|length
none_list|length
''|length
missing|length
n|string
f|string|length
'hello world'|title
"it's a-b (c) [d] {e} <f>"|title
'hELLO wORLD'|capitalize
'ßtraße ǆ'|capitalize
'ΑΣ ΣΑΣ'|lower
'İstanbul'|lower|length
'ﬁn'|upper
blank|trim
'xxhixx'|trim('x')
'\u00a0\u2003a\u3000'|trim
s|replace('l', 'L')
s|replace('l', 'L', 1)
s|replace('', '-')
''|replace('', 'x')
n|replace(7, 8)
uni|replace('ß', 'ss')
missing|default('x')
none_value|default('x')
none_value|default('x', true)
''|d('x', boolean=true)
''|default
missing|d
0|default(5)
l|first
l|last
s|first
s|last
none_list|first
none_list|last is defined
d|first
d|last
missing|first
1 in []|map('upper')
[]|map('upper')|first is defined
l|join(', ')
l|join
s|join('-')
mixed|join('|')
people|join(', ', attribute='name')
people|join('/', 'age')
d|join
missing|join('x')
l|list
s|list
d|list
missing|list
(1, 2)|list
d.items()|list
d|items|list
missing|items|list
d|dictsort
d|dictsort(true)
d|dictsort(false, 'value')
d|dictsort(by='value', reverse=true)
l|sort
l|sort(reverse=true)
names|sort
names|sort(case_sensitive=true)
people|sort(attribute='age')|map(attribute='name')|list
people|sort(attribute='age,name', reverse=true)|map(attribute='name')|list
people|sort(attribute='at.city')|map(attribute='at.city')|list
names|unique|list
names|unique(case_sensitive=true)|list
people|unique(attribute='age')|map(attribute='name')|list
l|reverse|list
s|reverse
d|reverse|list
l|sum
people|sum('age')
people|sum(attribute='age', start=100)
none_list|sum
l|min
l|max
names|min
names|max
people|max(attribute='age')
none_list|min is defined
people|map(attribute='name')|join(',')
people|map(attribute='tags', default=[])|list
people|map(attribute='at.city')|list
nested|map(attribute=0)|list
nested|map('first')|list
names|map('upper')|list
names|map('replace', 'a', 'A')|join(' ')
['a']|map('default', 'b')|list
l|select('odd')|list
l|select|list
mixed|select|list
mixed|reject|list
l|reject('gt', 1)|list
l|select('in', [1, 2])|list
mixed|select('string')|list
l|select('==', 3)|list
people|selectattr('tags')|map(attribute='name')|list
people|selectattr('tags', 'defined')|list|length
people|selectattr('age', 'equalto', 30)|map(attribute='name')|list
people|rejectattr('age', 'eq', 30)|map(attribute='name')|list
people|rejectattr('tags')|list|length
people|selectattr('at.city', 'in', ['Rome'])|list|length
'yes' if people|selectattr('age', 'eq', 99) else 'no'
people|groupby('age')|map(attribute='grouper')|list
people|groupby('age')|map('last')|map('length')|list
people|groupby('at.city')|map('first')|list
people|groupby('at.city', case_sensitive=true)|map('first')|list
people|groupby('missing', default='?')|map('first')|list
range(7)|batch(3)|list
range(7)|batch(3, 0)|list
range(7)|slice(3)|list
range(7)|slice(3, 'x')|list
'42'|int
'4.7'|int
' 12 '|int
'x'|int
'x'|int(-1)
'ff'|int(0, 16)
'0xff'|int(base=16)
3.9|int
-3.9|int
true|int
none|int
[]|int(5)
'1_000'|int
'1.5'|float
'x'|float
'x'|float(9.5)
n|float
'1e3'|float
'inf'|float
'nan'|float
'.5'|float
'5.'|float
'+2'|float
42.55|round
42.55|round(1)
42.45|round(1)
2.5|round
3.5|round
-2.5|round
2.675|round(2)
42|round
1234|round(-2)
1250.0|round(-2)
42.1|round(method='ceil')
42.9|round(method='floor')
42.123|round(2, 'ceil')
42.129|round(2, 'floor')
-42.5|round(0, 'floor')
neg|abs
-2.5|abs
true|abs
html|escape
html|e|e
html|forceescape
html|safe
html|safe|e
'<' ~ '>'|safe
('<'|safe) + '<'
quote|e
lines|indent
lines|indent(2, true)
lines|indent(2, false, true)
lines|indent(2, true, true)
lines|indent('> ', true)
'a\n\nb'|indent(2)
'a\nb\n'|indent
''|indent
''|indent(2, true)
'\n'|indent(2)
'\n\n'|indent(2, blank=true)
'x'|center(5)
'xy'|center(5)
'xy'|center(7)
'foo bar, baz_q 1.5'|wordcount
'Grüße aus Köln'|wordcount
'the quick brown fox jumps'|truncate(10)
'the quick brown fox jumps'|truncate(10, true)
'the quick brown fox jumps'|truncate(10, false, '…')
'the quick brown fox jumps'|truncate(10, leeway=0)
'short one'|truncate(8)
'short one'|truncate(8, leeway=0)
'abcdefghijkl'|truncate(5, leeway=0)
'%s and %s'|format('a', 1)
'%d%%'|format(5)
'%5.2f|%-6s|%06d|%+d|%x|%X|%o'|format(3.14159, 'ab', 42, 5, 255, 255, 8)
'%(a)s-%(b)d'|format(a='x', b=3)
'%r %r'|format('a', none)
'%5s|%-5s|%.2s'|format('abc', 'abc', 'abc')
'%e %g %g'|format(12345.678, 0.0001, 1e10)
'%s' % 'x'
'%s %s' % (1, 2)
'%(k)s' % {'k': 5}
'%c' % 'x'
'%s' % [1]
'%i' % 3.7
'%*d' % (5, 42)
'%s' % none
'a/b c?d=é&f'|urlencode
d|pprint
schema|pprint
people|pprint
[people, (1,), {}]|pprint
[schema, [schema]]|pprint
(schema, (schema,))|pprint
range(40)|list|pprint
[range(40)|list, {'k': range(40)|list}]|pprint
{1: 'x', 'a': 2}|pprint
s|pprint
n|pprint
missing|pprint
{'a': 'b c', 'd/': 1}|urlencode
[('x', 'é'), (1, 2)]|urlencode
schema|tojson
schema|tojson(indent=2)
schema|tojson(indent=4, sort_keys=true)
schema|tojson(ensure_ascii=true)
schema|tojson(separators=(',', ':'))
schema|tojson(indent=2, separators=(',', ':'))
schema|tojson(true)
schema|tojson(false, 1)
schema|tojson(indent='\t')
schema|tojson(indent=0)
schema|tojson(none, none, none, true)
s|tojson
quote|tojson
html|tojson
uni|tojson
uni|tojson(ensure_ascii=true)
'\x00\x1f\x7f\u2028\b\f\n\r\t/\\'|tojson
'\x7f🙂'|tojson(ensure_ascii=true)
n|tojson
f|tojson
huge|tojson
t|tojson
none|tojson
mixed|tojson
(1, 2)|tojson
[]|tojson(indent=2)
{}|tojson(indent=2)
[[], {}]|tojson(indent=2)
{1: 'a', 2.5: 'b', true: 'c', none: 'd'}|tojson
{'b': 1, 'a': 2}|tojson(sort_keys=true)
d|tojson
quote
[quote]
["it's", 'q"q', 'b\\b', 'n\nn', '\t\r\x01\x7f\xa0é🙂']
[1.0, 1e20, -0.5]
d
d.items()
d.keys()
d.values()
people[0]
[missing]
[true, none]
{'a': {'b': (1,)}}
s.upper()
s.lower()
s.title()
"they're bill's"|title
"they're bill's".title()
s.swapcase()
'hELLO'.capitalize()
blank.strip()
blank.lstrip()
blank.rstrip()
'xxaxx'.strip('x')
'xyaxy'.lstrip('yx')
'xyaxy'.rstrip('yx')
'ééaé'.strip('é')
s.split(', ')
s.split('l')
s.split('l', 1)
'  a  b c '.split()
'  a  b c '.split(none, 1)
'a,b,c'.split(',', maxsplit=1)
'a,b,,c,'.split(',')
''.split(',')
''.split()
'a b  c'.rsplit(none, 1)
'  a b  c  '.rsplit()
'  a b  c  '.rsplit(none, 1)
'a,b,c'.rsplit(',', 1)
'</think>x</think>y'.split('</think>')[-1]
'no think'.split('</think>')[-1].lstrip('\n')
lines.splitlines()
lines.splitlines(true)
'a\r\nb\rc\x0bd'.splitlines()
'a=b=c'.partition('=')
'a=b=c'.rpartition('=')
'abc'.partition('=')
'abc'.rpartition('=')
', '.join(['a', 'b'])
''.join(names)
'-'.join('abc')
s.startswith('Hell')
s.startswith(('x', 'H'))
s.endswith('ld')
s.endswith(('x', 'y'))
s.startswith('ell', 1)
s.startswith('')
s.find('o')
s.find('o', 5)
s.find('zz')
s.rfind('o')
s.index('W')
uni.find('日')
uni.rfind('ß')
s.count('l')
s.count('')
'aaaa'.count('aa')
s.replace('l', 'L')
s.replace('l', 'L', 2)
s.removeprefix('Hello')
s.removesuffix('World')
s.removeprefix('x')
'abc'.isalpha()
'abc1'.isalpha()
'éß'.isalpha()
''.isalpha()
'123'.isdigit()
'12.3'.isdigit()
'²'.isdigit()
'²'.isdecimal()
'½'.isnumeric()
'a1'.isalnum()
' \t\n'.isspace()
''.isspace()
'ABC 1'.isupper()
'abc 1'.islower()
'123'.isupper()
'Hello World'.istitle()
'abc'.isascii()
'é'.isascii()
'a_1'.isidentifier()
'1a'.isidentifier()
'a'.center(5, '*')
'ab'.center(5)
'a'.ljust(3) ~ '|'
'a'.rjust(3, '.')
'42'.zfill(5)
'-42'.zfill(5)
'{} {}'.format(1, 'a')
'{0} {1} {0}'.format('a', 'b')
'{a} {b}'.format(a=1, b='x')
'{:>5}|{:<5}|{:^5}|{:*^7}'.format(1, 'a', 'b', 'c')
'{:05d} {:+d} {:x} {:#x} {:b} {:,}'.format(42, 5, 255, 255, 5, 1234567)
'{:.2f} {:8.3f} {:e} {:g} {:%} {:.0%}'.format(3.14159, 2.5, 12345.678, 0.0001, 0.5, 0.25)
'{{}} {}'.format(1)
'{0[k]} {0[k]!r}'.format({'k': 'v'})
'{!r} {!s}'.format('a', 'b')
'{}'.format(none)
'{}'.format(1.0)
'{:.3}'.format('abcdef')
'{:.3}'.format(3.14159)
'{:10.2f}|'.format(-3.14159)
'{:,.2f}'.format(1234567.891)
'{: d} {:-d}'.format(5, 5)
d.get('a')
d.get('zz')
d.get('zz', 'x')
d.get('zz') is none
d.keys()|list
d.values()|list
d.items()|first
d.copy()
l.index(1)
l.count(3)
(1, 2, 2).count(2)
(1, 2).index(2)
dict(a=1, b=2)
dict(d, a=9)
dict([('x', 1)])
namespace(a=1).a
namespace({'a': 1}, b=2).b
namespace().x is defined
loop is defined
cycler('a', 'b').current
strftime_now('%d %b %Y')
strftime_now('%Y-%m-%d %H:%M:%S')
strftime_now('%A, %B %d, %Y; %a %j %U %W %u %w %y %I %p %%')
strftime_now('%c | %x | %X | %r | %h %C %k %l %P %b%n%t%Z%z %_d %0e %-I %_H %Q %')
strftime_now('')
strftime_now('%-d/%-m/%e %G-W%V %T %D %F %R %f')
'é' < 'f'
'日本' ~ '語'
'a' if '日' in uni else 'b'
{'日': 1}['日']
s|upper|lower|title|length
-n|abs
-(n|abs)
n|abs - 1
not s|length > 5
s|length > 5 and s|upper == 'X' or 'z'
l|length + 1
(l|length + 1) * 2
'a'|upper ~ 'b'|upper
{'a': 1}.a
[1, 2, 3].1
'abc'[1]
('a', 'b')[0]
range(3)|join
(1, 2)|last
[[1, 2], [3]]|sum(start=[])
s.upper().lower().title()
'a,b'.split(',')|map('upper')|join('-')
dict(a=1)|tojson
l|map('string')|join
namespace(x=1)['x']
""".strip("\n")

ERRORS = r"""
'a' ~ 1 + 1
1 + 1 ~ 'a'
people[9].name
missing.x is defined
missing.x
missing.x.y
missing['x']
missing()
missing + 1
-missing
missing < 1
missing|int
missing|tojson
missing|dictsort
none.x.y
none_value + 'a'
'a' + 1
1 + 'a'
[1] + (2,)
1 < 'a'
none < 1
[1, 'a']|sort
1 in 2
1 in 'a'
n()
s.nope()
d.nope()
1 / 0
1 // 0
1 % 0
1.0 / 0
n[1:]
n|length
l|map('string')|length
n|join
n|list
n|items|list
l|dictsort
'x'|nope
'x' is nope
l|map|list
[1]|urlencode
l|map('nope')|list
l|selectattr|list
range(200000)|list
range(1, 2, 0)
raise_exception('stop: ' ~ n)
'%d' % 'a'
'%s %s' % 1
'%s' % (1, 2)
'%q' % 1
'{} {}'.format(1)
'{'.format(1)
'}'.format(1)
'{:d}'.format('a')
'{:d}'.format(1.5)
s.index('zz')
l.index(99)
s.split('')
'a'.join([1])
s.startswith(1)
s.center('a')
{[1]: 2}
{'a': 1}[[1]].x
dict([1])
dict(1, 2)
[1, 2]|sum(start='a')
['a']|sum
s[::0]
s['a':]
'x'|truncate(1)
5|round(method='up')
'a'|default(1, 2, 3, 4)
s.upper(1)
s|upper(1)
s|trim(chars='x', nope=1)
s|replace('a')
cycler()
namespace(1)
{1: 2}|tojson(indent='x', nope=1)
{(1, 2): 3}|tojson
range|tojson
d.keys()|tojson
strftime_now(1)
""".strip("\n")

# ---- Statements -------------------------------------------------------------------------------

STATEMENTS = [
    # whitespace
    "  {% if true %}\n  a\n  {% endif %}\nb\n",
    "  {%+ if true %}\n  a\n  {%+ endif %}\nb\n",
    "a  {%- if true -%}  b  {%- endif -%}  c",
    "a\n\n  {{- 1 -}}  \n\n b",
    "a  {{ 1 }}  b\n{{ 2 }}\n\n",
    "x {% if true %} y {% endif %} z",
    "x\n\t {# comment #}\ny",
    "x {#- comment -#} y",
    "x\n  {#+ keep #}\ny",
    "a{# multi\nline {{ x }} #}b",
    "{% if true %}\n\na\n\n{% endif %}\n\nb",
    "{% if true +%}\na{% endif +%}\nb",
    "   {{ 1 }}\n   {% set x = 2 %}   \n   {{ x }}",
    "{{ 1 }}   {% set x = 2 %}\n{{ x }}",
    "\r\n{% if true %}\r\na\rb\n{% endif %}\r\n",
    "a\n",
    "a\n\n",
    "\n",
    "",
    "{% for i in l %}\n  {{ i }}\n{% endfor %}\n",
    "{%- for i in l -%}\n  {{ i }}\n{%- endfor -%}\n",
    "{% raw %}{{ x }} {% if %}{% endraw %}",
    "a {% raw %}\n {{ x }}\n {% endraw %}\nb",
    "a {%- raw -%}  {{ x }}  {%- endraw -%}  b",
    "a\n  {% raw %} x\n  {%+ endraw %} b",
    "{{ '{{' }}{{ '%}' }}{{ \"}}\" }}",
    "{{ {'a': {'b': 1}}}}",
    "{{{'a': 1}.a}}",
    "{{-1}}|{{- 1}}|{{+1}}",
    "{ % { { }} %} #}",
    "{%if true%}x{%endif%}",
    "\u00a0\n\u2003{% if true %}a{% endif %}",
    # if
    "{% if n == 1 %}a{% elif n == 7 %}b{% else %}c{% endif %}",
    "{% if missing %}a{% elif none %}b{% else %}c{% endif %}",
    "{% if n > 5 and s %}{% if no %}x{% else %}y{% endif %}{% endif %}",
    "{% if l %}1{% endif %}{% if none_list %}2{% endif %}{% if {} %}3{% endif %}{% if 0.0 %}4{% endif %}",
    "{% if (1, 2) %}t{% endif %}{% if n in (7, 8) %}u{% endif %}",
    "{% if n is defined and n is not none and n > 3 %}ok{% endif %}",
    # for
    "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}"
    "{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}",
    "{% for x in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }} {% endfor %}",
    "{% for x in l %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }} {% endfor %}",
    "{% for x in none_list %}x{% else %}none{% endfor %}",
    "{% for x in missing %}x{% else %}none{% endfor %}",
    "{% for x in l if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% endfor %}",
    "{% for x in l if x > 9 %}x{% else %}none{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }}={{ v }}{{ ', ' if not loop.last }}{% endfor %}",
    "{% for k in d %}{{ k }}{% endfor %}",
    "{% for c in uni %}{{ c }}.{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3)), (4, (5, 6))] %}{{ a }}{{ b }}{{ c }} {% endfor %}",
    "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}",
    "{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% for y in l %}{% if y == 1 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}|{% endfor %}",
    "{% for x in l %}{% for y in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}",
    "{% for x in l %}{% set outer = loop %}{% for y in [1] %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for x in l %}{{ x }}{% endfor %}{{ x is defined }}{{ loop is defined }}",
    "{% set x = 0 %}{% for i in l %}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}",
    "{% set ns = namespace(x=0) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% for i in l %}{{ y is defined }}{% set y = i %}{% endfor %}",
    "{% for item in tree recursive %}{{ item.n }}{% if item.c %}({{ loop(item.c) }}){% endif %}{{ loop.depth }}{% endfor %}",
    "{% for x in l|sort|reverse %}{{ x }}{% endfor %}",
    "{% for x in l + [9] %}{{ x }}{% endfor %}",
    "{% for m in people %}{% if loop.first or loop.previtem.age != m.age %}[{{ m.age }}]{% endif %}{{ m.name }} {% endfor %}",
    "{% for g, items in people|groupby('age') %}{{ g }}: {{ items|map(attribute='name')|join(',') }};{% endfor %}",
    "{% for g in people|groupby('age') %}{{ g.grouper }}: {{ g.list|length }};{% endfor %}",
    "{% for row in range(5)|batch(2) %}{{ row|join }}/{% endfor %}",
    # set
    "{% set x = 1 %}{{ x }}",
    "{% set x, y = 1, 2 %}{{ x }}{{ y }}",
    "{% set (x, y) = [1, 2] %}{{ x }}{{ y }}",
    "{% set x = 1, 2 %}{{ x }}",
    "{% set x %}a{{ n }}b{% endset %}[{{ x }}]",
    "{% set x | upper | replace('A', 'z') %}a{{ n }}b{% endset %}[{{ x }}]",
    "{% set x %}{% set inner = 1 %}{% endset %}{{ inner is defined }}",
    "{% if true %}{% set x = 5 %}{% endif %}{{ x }}",
    "{% set n = n + 1 %}{{ n }}",
    "{% set ns = namespace(a=1, b='x') %}{% set ns.a = ns.a + 1 %}{% set ns.c = [1] %}{{ ns.a }}{{ ns.b }}{{ ns.c }}",
    "{% set ns = namespace() %}{% set ns.t %}block{% endset %}{{ ns.t }}",
    "{% set a = b = 1 %}",
    "{% set l = l + [4] %}{{ l }}",
    "{% set x = 'a' if false else 'b' %}{{ x }}",
    "{% set x = none %}{{ x is none }}{{ x }}",
    # with, filter, generation
    "{% with a = 1, b = n %}{{ a + b }}{% endwith %}{{ a is defined }}",
    "{% with %}{% set z = 1 %}{{ z }}{% endwith %}{{ z is defined }}",
    "{% set a = 1 %}{% with a = 2, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% filter upper %}abc {{ n }}{% endfilter %}",
    "{% filter replace('a', 'b')|title %}aa ac{% endfilter %}",
    "{% filter indent(width=2) %}a\nb{% endfilter %}",
    "x{% generation %}y{{ n }}{% endgeneration %}z",
    "{% for m in l %}{% generation %}{{ loop.index }}{% endgeneration %}{% endfor %}",
    # macros
    "{% macro f(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ f(1) }} {{ f(1, 3) }} {{ f(1, c='y') }} {{ f(b=5, a=4) }}",
    "{% macro f(a) %}[{{ a }}]{{ a is defined }}{% endmacro %}{{ f() }}",
    "{% macro f() %}{{ n }}{% endmacro %}{{ f() }}",
    "{% macro f() %}{{ x }}{% endmacro %}{% set x = 5 %}{{ f() }}",
    "{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}",
    "{% macro f(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}",
    "{% macro f() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, x=3) }}",
    "{% macro f(a) %}{{ a }}{{ varargs|join('-') }}{% endmacro %}{{ f(1, 2, 3) }}",
    "{% macro f() %}<{{ caller() }}>{% endmacro %}{% call f() %}in {{ n }}{% endcall %}",
    "{% macro f(xs) %}{% for x in xs %}<{{ caller(x) }}>{% endfor %}{% endmacro %}{% call(x) f(l) %}{{ x * 2 }}{% endcall %}",
    "{% macro f() %}{% if caller is defined %}c{% else %}n{% endif %}{% endmacro %}{{ f() }}",
    "{% macro f(x) %}{{ x }}{% endmacro %}{% macro g(x) %}{{ f(x) }}!{% endmacro %}{{ g(1) }}{{ g(2)|upper|length }}",
    "{% macro f(x) %}{{ x }}{% endmacro %}{{ l|map('string')|join }}{% set r = f(1) ~ f(2) %}{{ r }}",
    "{% macro f(x) %}{% set y = x %}{{ y }}{% endmacro %}{{ f(1) }}{{ y is defined }}",
    "{% for i in l %}{% macro f() %}{{ i }}{% endmacro %}{{ f() }}{% endfor %}",
    "{% macro f(x) %}\n  {{- x }}\n{% endmacro %}\n{{ f(1) }}\n{{ f(2) }}",
    "{% macro f(*) %}{% endmacro %}",
    "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(*[1]) }}{{ f(**{'a': 2}) }}",
    "{% macro f(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ f(1, *[2]) }}{{ f(1, **{'b': 3}) }}",
    "{% macro show(x, depth=0) %}{% if x is mapping %}{% for k, v in x.items() %}{{ '  ' * depth }}{{ k }}:\n{{ show(v, depth + 1) }}{% endfor %}{% else %}{{ '  ' * depth }}{{ x }}\n{% endif %}{% endmacro %}{{ show(schema) }}",
    "{% macro f(x) %}{{ x }}{% endmacro %}{{ f.name }}{{ f is callable }}",
    "{% set c = cycler('a', 'b', 'c') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}{% set _ = c.reset() %}{{ c.next() }}",
    "{% set j = joiner(', ') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}",
    "{% set g = l|map('string') %}{{ g|list }}{{ g|list }}",
    "{% set g = l|select('odd') %}{{ 3 in g }}{{ g|list }}",
    "{% set g = none|selectattr('x') %}{{ g is iterable }}{% set h = l|map(attribute='x.y') %}unread",
    "{% set g = none|selectattr('x') %}{{ g|list }}",
    "{% set g = l|map('upper') %}{{ g|first }}{{ g|first }}{{ g|list }}",
    # errors
    "{% if true %}",
    "{% endif %}",
    "{% for x in l %}",
    "{% for x l %}{% endfor %}",
    "{% for in l %}{% endfor %}",
    "{% nope %}",
    "{% set 1 = 2 %}",
    "{% set x %}",
    "{% set x.y = 1 %}",
    "{% set true = 1 %}",
    "{% set n.x = 1 %}",
    "{% set a, b = 1 %}",
    "{% set a, b = [1, 2, 3] %}",
    "{% break %}",
    "{% continue %}",
    "{% macro f(a=1, b) %}{% endmacro %}",
    "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}",
    "{% macro f(a) %}{% endmacro %}{{ f(1, a=2) }}",
    "{% macro f(a) %}{% endmacro %}{{ f(zz=2) }}",
    "{% macro f() %}{{ caller() }}{% endmacro %}{{ f() }}",
    "{% call n %}{% endcall %}",
    "{% call n() %}{% endcall %}",
    "{{ }}",
    "{{ 1 +}}",
    "{{ 1 2 }}",
    "{{ (1 }}",
    "{{ [1 }}",
    "{{ {1} }}",
    "{{ ) }}",
    "{{ 'a }}",
    "{{ a..b }}",
    "{{ a. }}",
    "{{ a[] }}",
    "{{ a| }}",
    "{{ a is }}",
    "{{ f(a=1, 2) }}",
    "{{ f(1 2) }}",
    "{{ 1 is eq 1 is eq }}",
    "{{ @ }}",
    "{{ 1",
    "{{ 1 %}",
    "{% if 1 }}{% endif %}",
    "{# open",
    "{% raw %}open",
    "{% for a, b in [1] %}{% endfor %}",
    "{% for a, b in [[1, 2, 3]] %}{% endfor %}",
    "{% for x in n %}{% endfor %}",
    "{% for x in l %}{{ loop.nope.x }}{% endfor %}",
    "{% for x in l %}{{ loop(l) }}{% endfor %}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{% else %}",
    "{% if 1 %}{% else %}{% else %}{% endif %}",
    "line 1\nline 2 {{ missing.attribute }}",
    "{% if n == 7 %}{{ raise_exception('Conversation roles must alternate') }}{% endif %}",
]

TREE = {"tree": [{"n": "a", "c": [{"n": "b", "c": []}, {"n": "c", "c": [{"n": "d"}]}]}, {"n": "e"}]}

# ---- Conversations for the templates of families -----------------------------------------------

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Current weather in a city.\nAsk for one city at a time.",
    "parameters": {"type": "object", "properties": {
        "city": {"type": "string", "description": "City, e.g. \"Zürich\""},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
        "days": {"type": "array", "items": {"type": "integer"}, "description": "Which <days>"},
        "detail": {"type": "object", "properties": {"wind": {"type": "boolean"}}},
        "alt": {"type": ["number", "null"], "nullable": True}},
        "required": ["city"]},
    "return": {"type": "string", "description": "Temperature & sky"}}}
CLOCK = {"type": "function", "function": {
    "name": "now", "description": "The time.", "parameters": {"type": "object", "properties": {}}}}


def say(role, content, **more):
    return {"role": role, "content": content, **more}


def call(name, arguments, id="call00001"):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


CHATS = {
    "plain": {"messages": [say("user", "Hi there")]},
    "no prompt": {"messages": [say("user", "Hi"), say("assistant", " Hello! ")],
                  "add_generation_prompt": False},
    "system": {"messages": [say("system", "Be terse.\n"), say("user", "What is entropy?"),
                            say("assistant", "A measure of uncertainty."), say("user", "In which unit?\n")]},
    "thinking": {"messages": [say("user", "2+2?"), say("assistant", "<think>\nEasy: 4.\n</think>\n\nIt is 4."),
                              say("user", "Sure?"), say("assistant", "Yes.", reasoning_content="They doubt.\n"),
                              say("user", "Good.")], "enable_thinking": False},
    "parts": {"messages": [say("user", [{"type": "text", "text": "Look: "}, {"type": "image"},
                                        {"type": "text", "text": "what is it?"}])]},
    "tools": {"messages": [say("user", "Weather in Zürich & Oslo?")], "tools": [WEATHER, CLOCK]},
    "tool calls": {"messages": [
        say("system", "Use tools."), say("user", "Weather?"),
        say("assistant", None, tool_calls=[call("get_weather", {"city": "Zürich", "days": [1, 2]})]),
        say("tool", "{\"t\": 21.5}", name="get_weather", tool_call_id="call00001"),
        say("assistant", "21.5 degrees."), say("user", "And now?"),
        say("assistant", "", tool_calls=[call("now", {}, "call00002"), call("get_weather", "{\"city\": \"Oslo\"}", "call00003")]),
        say("tool", {"hour": 13}, name="now", tool_call_id="call00002"),
        say("tool", "rain", name="get_weather", tool_call_id="call00003")], "tools": [WEATHER, CLOCK]},
    "one call": {"messages": [
        say("developer", "Be exact."), say("user", "Weather?"),
        say("assistant", "Let me see.", tool_calls=[call("get_weather", {"city": "Oslo", "detail": {"wind": True}})]),
        say("tool", "rain", name="get_weather", tool_call_id="call00001"),
        say("assistant", "It rains in Oslo.")], "tools": [WEATHER], "builtin_tools": ["browser", "python"],
        "reasoning_effort": "high", "controls": {"length": "short"}},
    "two users": {"messages": [say("user", "a"), say("user", "b")]},
    "bad role": {"messages": [say("user", "a"), say("narrator", "b")]},
    "documents": {"messages": [say("user", "Summarise.")], "documents": [
        {"title": "First", "text": "Entropy <grows>."}, {"title": "Zwei", "text": "Größe"}]},
    "empty": {"messages": []},
}
COMMON = {"add_generation_prompt": True, "bos_token": "<s>", "eos_token": "</s>",
          "date_string": "26 Jul 2024"}


# ---- Making the file ---------------------------------------------------------------------------

def rendered(env, template, variables):
    try:
        return {"output": env.from_string(template).render(**variables)}
    except Exception as e:  # whatever jinja2 and Python throw is an error of the template
        return {"error": f"{type(e).__name__}: {e}"}


def main():
    env = environment()
    cases = []

    def add(name, template, variables, shared):
        result = rendered(env, template, copy.deepcopy(variables))  # |indent changes lists
        cases.append({"name": name, "template": template, "variables": shared, **result})

    for line in EXPRESSIONS.replace("\\\n", "\0").split("\n"):
        add(line.replace("\0", "\\n"), "{{ " + line.replace("\0", "\\\n") + " }}", VARIABLES, "values")
        assert "output" in cases[-1], cases[-1]
    for line in ERRORS.split("\n"):
        add(line, "{{ " + line + " }}", VARIABLES, "values")
        assert "error" in cases[-1], cases[-1]
    for template in STATEMENTS:
        add(template, template, {**VARIABLES, **TREE}, "values")
    for path in sorted((HERE / "templates").glob("*.jinja")):
        for chat, variables in CHATS.items():
            add(f"{path.stem}: {chat}", path.read_text(), {**COMMON, **variables}, chat)
            del cases[-1]["template"]
            cases[-1]["file"] = path.name
    with open(HERE / "templates.json", "w") as f:
        shared = {"values": {**VARIABLES, **TREE}}
        shared.update({k: {**COMMON, **v} for k, v in CHATS.items()})
        json.dump({"jinja2": jinja2.__version__, "now": int(NOW.replace(tzinfo=datetime.timezone.utc).timestamp()),
                   "variables": shared, "cases": cases}, f, ensure_ascii=False, indent=1)
        f.write("\n")
    print(len(cases), "cases,", sum("error" in c for c in cases), "errors")


if __name__ == "__main__":
    main()
