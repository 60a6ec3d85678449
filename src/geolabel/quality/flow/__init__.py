"""The flow of work: the way of a task, who is given which, batches judged by a sample, and what it cost."""
