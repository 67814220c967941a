"""Models in GGUF files, the format of llama.cpp, specified in ggml (ggml-org/ggml)."""
