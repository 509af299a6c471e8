"""Tables of the ways Chinese is written on phones: homophone slips, pinyin, traditional characters, mixed-in English."""
