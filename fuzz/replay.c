// Runs a fuzz target over files, without libFuzzer: each argument is a file or a folder of files. Fails when
// there is nothing to run, so that a corpus cannot get lost unnoticed.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		exit(1);
	}
	uint8_t *data = NULL;
	size_t size = 0, capacity = 0, got;
	do {
		if (size == capacity) {
			capacity = capacity ? capacity * 2 : 65536;
			data = realloc(data, capacity);
			if (!data)
				abort();
		}
		got = fread(data + size, 1, capacity - size, file);
		size += got;
	} while (got > 0);
	fclose(file);
	/* A copy of the exact size, so that a sanitizer sees a read behind the end. */
	uint8_t *exact = realloc(data, size ? size : 1);
	LLVMFuzzerTestOneInput(exact ? exact : data, size);
	free(exact ? exact : data);
	replayed++;
}

static void replay(const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0) {
		perror(path);
		exit(1);
	}
	if (!S_ISDIR(status.st_mode)) {
		replay_file(path);
		return;
	}
	DIR *folder = opendir(path);
	if (!folder) {
		perror(path);
		exit(1);
	}
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (entry->d_name[0] == '.')
			continue;
		char inner[4096];
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		replay(inner);
	}
	closedir(folder);
}

int main(int count, char **arguments)
{
	for (int i = 1; i < count; i++)
		replay(arguments[i]);
	printf("%u inputs replayed\n", replayed);
	return replayed > 0 ? 0 : 1;
}
