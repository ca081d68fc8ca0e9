//! Parses a saga's YAML into a definition that cannot be wrong, or says where and how to mend it.
