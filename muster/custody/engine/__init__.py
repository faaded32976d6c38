"""Pure: what is printed on tubes, bags, boxes and plates."""
