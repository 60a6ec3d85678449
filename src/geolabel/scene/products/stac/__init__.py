"""STAC items, of any version and publisher: a way in of its own folder."""

from geolabel.scene.products.stac.product import LOOKS_FOR, finds, product_of, read

__all__ = ["LOOKS_FOR", "finds", "product_of", "read"]
