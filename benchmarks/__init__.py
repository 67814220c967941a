"""Generated records of any size → how fast each stage turns them into validated shards, in how much memory."""
