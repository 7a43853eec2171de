//! What generated code calls; not a public interface.
