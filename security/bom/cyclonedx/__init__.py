"""Bills of material in CycloneDX. Read and written in processes of their own, which know nothing of Django."""
