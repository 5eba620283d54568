"""A second retailer, made by hand: Sunday and Monday of one corner shop, with other columns, and a mapping of them."""

import gzip
from pathlib import Path

MAPPING = """
when:
  timestamp: sold_at
columns:
  CUST_CODE: loyalty_card
  BASKET_ID: [till, receipt]
  PROD_CODE: ean
  QUANTITY: pieces
  SPEND: amount
  STORE_FORMAT: kind
constants:
  STORE_CODE: CORNER
codes:
  CUST_CODE: {guest: ""}
  STORE_FORMAT: {small: SS}
products:
  file: articles.csv
  columns:
    PROD_CODE: ean
    PROD_NAME: [title, size]
    PROD_CODE_20: shelf
"""
SALES = """sold_at,till,receipt,loyalty_card,ean,title,pieces,amount,kind
2024-03-03T23:59:59,1,7,ann,4001,ignored,1,2.50,small
2024-03-04T00:00:00,1,8,ann,4002,ignored,2.0,0.4,small
2024-03-04T09:30:00,2,8,guest,4001,"a ""quoted"", name",0.35,1.005,small
2024-03-04T09:30:00,2,9,bo,,ignored,1,1,small
2024-03-04T09:30:00,2,9,bo,4001
2024-02-30T09:30:00,2,10,bo,4001,ignored,1,1,small
2024-03-04T09:30:00,2,11,bo,4001,ignored,many,1,small
2024-03-04T09:30:00,2,12,bo,4001,ignored,1,1,large
"""
ARTICLES = "ean,title,size,shelf\n4001,Oat milk,1 l,Milk & co\n4002,Rye bread,,Bread\n4002,Other,,Other\n"


def write_grocer(folder: Path, sales: str = SALES, mapping: str = MAPPING) -> tuple[Path, Path]:
    """The sales file and the mapping file, with the articles beside the sales."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "sales.csv", folder / "grocer.yaml"
    paths[0].write_text(sales, encoding="utf-8")
    paths[1].write_text(mapping, encoding="utf-8")
    (folder / "articles.csv").write_text(ARTICLES, encoding="utf-8")
    return paths


def landed(folder: Path, week: str) -> list[dict[str, str]]:
    """The lines of a landed week."""
    with gzip.open(folder / f"transactions_{week}.csv.gz", "rt", encoding="utf-8", newline="\n") as stream:
        header, *lines = stream.read().split("\n")[:-1]
    return [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]
