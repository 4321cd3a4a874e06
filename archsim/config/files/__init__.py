"""Files on disk: the reading of others', and the writing of whole ones and of what only speeds up."""
