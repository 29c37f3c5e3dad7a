"""What another reader of DOCX files sees in one, as JSON; its pictures go into a folder.

usage: word.py FILE FOLDER
"""

import json
import os
import sys

import docx
from docx.oxml.ns import qn
from docx.table import Table


def lines(part):
    """Texts of paragraphs, in order, those of tables cell by cell."""
    for item in part.iter_inner_content():
        if isinstance(item, Table):
            for row in item.rows:
                for cell in row.cells:
                    yield from lines(cell)
        else:
            yield item.text


def section(found):
    """Millimetres, and what stands above and below."""
    lengths = [
        found.page_width,
        found.page_height,
        found.top_margin,
        found.bottom_margin,
        found.left_margin,
        found.right_margin,
    ]
    return {
        "mm": [round(length.mm, 1) for length in lengths],
        "first": [found.first_page_header, found.first_page_footer],
        "other": [found.header, found.footer],
        "is_first_unlike": found.different_first_page_header_footer,
    }


def edges(pair):
    return ["\n".join(lines(part)) for part in pair]


def main():
    path, folder = sys.argv[1:]
    document = docx.Document(path)
    sections = [section(it) for it in document.sections]
    for it in sections:
        it["first"], it["other"] = edges(it["first"]), edges(it["other"])
    defaults = document.styles.element.find(qn("w:docDefaults"))
    fonts = next(defaults.iter(qn("w:rFonts")))
    heads = [
        [cell.text for cell in table.rows[0].cells]
        for table in document.tables
        if table.rows[0]._tr.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None
    ]
    for part in document.part.package.iter_parts():
        if part.content_type == "image/png":
            with open(os.path.join(folder, os.path.basename(part.partname)), "xb") as out:
                out.write(part.blob)
    about = document.core_properties
    told = {
        "sections": sections,
        "lines": list(lines(document)),
        "heads": heads,
        "faces": sorted(set(fonts.attrib.values())),
        "size": next(defaults.iter(qn("w:sz"))).get(qn("w:val")),
        "fields": [it.text for it in document.sections[0].header._element.iter(qn("w:instrText"))],
        "title": about.title,
        "language": about.language,
        "created": about.created.isoformat(),
    }
    json.dump(told, sys.stdout, ensure_ascii=False)


main()
