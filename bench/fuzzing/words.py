"""What files of a format are made of: what a change may put where it does not belong."""

from __future__ import annotations

__all__ = ["BYTES", "ENCODINGS", "FOREIGN", "NUMBERS", "WORDS"]

BYTES = (0, 1, 9, 10, 13, 32, 34, 39, 40, 41, 60, 62, 91, 93, 127, 128, 192, 254, 255)
NUMBERS = (
    b"0 -1 1 2 255 256 65535 65536 2147483647 2147483648 4294967295 4294967296 1e308 -1e308 nan "
    b"99999999999999999999 0.0000001 1000000 -2147483648"
).split()
ENCODINGS = "utf-16 utf-16-le utf-16-be utf-32 utf-8-sig cp1252 utf-7 cp037 gb18030 koi8-r".split()

# Marks, halves of characters, and what reorders text, hides in it or drives a terminal.
FOREIGN = tuple(
    bytes.fromhex(each)
    for each in (
        "efbbbf fffe feff 00 0000 eda080 edb080 c0af f4908080 e280ae e281a6 e2808b e280a8 c285 "
        "c2ad "
        "cc81 efb7ba f09f87a9 efbfbe 1b5b324a 1b5d303b7807 08 1a 7f"
    ).split()
)


def _by_line(text: str) -> tuple[bytes, ...]:
    r"""Return the lines; in them \\n and its like stand for what they name."""
    lines = text.strip("\n").splitlines()
    return tuple(line.encode().decode("unicode_escape").encode("latin-1") for line in lines)


WORDS: dict[str, tuple[bytes, ...]] = {
    "pdf": (
        *b"obj endobj stream endstream xref trailer startxref %%EOF << >> [ ] ( ) < > ".split(),
        *b"/Type".split(),
        *b"/Page /Pages /Kids /Parent /Count /Contents /Resources /Font /ToUnicode".split(),
        *b"/Encoding /Length /Filter /FlateDecode".split(),
        *b"/LZWDecode /ASCIIHexDecode /ASCII85Decode".split(),
        *b"/RunLengthDecode /DecodeParms /Predictor /Columns /ObjStm /XRef /W /Index".split(),
        *b"/Prev /Size /Root /Encrypt /Extends /First /Next /Outlines /MediaBox /CropBox".split(),
        *b"/Rotate /UserUnit /Identity-H /CIDFontType2 /DescendantFonts BT ET Tf Td Tj".split(),
        *b"TJ Tm T* Tr Ts Tz Tc Tw q Q cm Do BI ID EI BMC BDC EMC W n re f S gs sh".split(),
        *(b"true", b"false", b"null", b"1 0 R", b"2 0 R", b"4 0 R", b"5 0 R"),
    ),
    "docx": _by_line(
        """
<w:p>
</w:p>
<w:r>
</w:r>
<w:t>
</w:t>
<w:tbl>
</w:tbl>
<w:tr>
<w:tc>
<w:br/>
<w:tab/>
<w:pPr>
<w:pStyle w:val="Heading1"/>
<w:numPr>
<w:ilvl w:val="9999999999"/>
<w:numId w:val="1"/>
<w:outlineLvl w:val="--1"/>
<w:gridSpan w:val="999999"/>
<w:vMerge/>
<w:txbxContent>
<w:del>
<w:sdt>
<w:sdtContent>
<w:footnoteReference w:id="1"/>
<w:hyperlink r:id="rId1">
&lol;
&#0;
&#xD800;
&amp;
<!--
-->
<![CDATA[
<?x ?>
<!DOCTYPE x [<!ENTITY a 'b'>]>
<mc:AlternateContent>
<mc:Choice>
xmlns:w="x"
../../etc/passwd
TargetMode="External"
"""
    ),
    "html": (
        *b"<div> </div> <p> <ul> <li> </ul> <table> <tr> <td> <th> </table> <h1> </h1>".split(),
        *b"<pre> </pre> <br> <dl> <dt> <dd> <main> <nav> <aside> <form> <button> <select>".split(),
        *b"<option> <svg> <math> <script> </script> <style> <template> <iframe> <title>".split(),
        *b"<textarea> <noscript> <plaintext> <frameset> <!-- --> <!--> <![CDATA[ ]]>".split(),
        *b"<!DOCTYPE <?xml &a; &amp &#0; &#x110000; &#xD800; &lt; < > \" ' = hidden".split(),
        *b"charset=utf-7 charset=utf-16 <b> <i> <font> </font> aria-hidden=true".split(),
        *_by_line(
            """
<a href='javascript:x'>
<base href='file:///'>
<!ENTITY a SYSTEM 'file:///etc/passwd'>
style='display:none'
start=999999999999999999999
<meta charset=gb18030>
<p id=>
"""
        ),
    ),
    "markdown": _by_line(
        r"""
#
##\x20
-\x20
*\x20
+\x20
1.\x20
999999999.\x20
>\x20
```
~~~
|
|-|
---
===
[
](
![
](x)
[^1]
[a]: b
<div>
</div>
<!--
-->
<?
<![CDATA[
&amp;
&#0;
`
``
*
**
_
__
~~
\\
\t
\x20\x20\x20\x20
\x20\x20\n
\n
\n\n
<b
http://x
<a@b.c>
title:\x20
---\n
...\n
"""
    ),
    "csv": _by_line(
        r"""
,
;
\t
|
"
""
"\n
\n
\r
\r\n
sep=,
sep="\n
\x0b
1,5
=cmd()
"""
    ),
    "text": _by_line(
        r"""
-\x20
1.\x20
a)\x20
(i)\x20
===
---
:\x20
.\x20
...\x20
?\x20
"
'
[1]
\t
\r
\x0b
\x0c
\n\n
E-4304
1/2
3 May 2024
Date:\x20
title:\x20
SECTION 1
A:\x20
2024-05-03 10:11
www.a.b/c
a@b.c
"""
    ),
}
