"""Alert rules: what they ask and from which number on they speak, and what one does then."""
