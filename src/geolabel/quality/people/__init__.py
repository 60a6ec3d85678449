"""People: what gold and the others say of each annotator, and how far annotators agree."""
