"""What the charts of a page show, as plain data: the browser draws them."""
