"""Names and spec strings: from text to laws, policies, families and gold curves, and back."""
