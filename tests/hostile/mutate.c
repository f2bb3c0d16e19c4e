// Damages an image again and again, at random but the same way for each seed, and lets every reader look at
// it.
//
// usage: mutate IMAGE COUNT [SEED]           damages COUNT times
//        mutate IMAGE keep NUMBER SEED FILE  leaves the image of one damage in FILE
//        mutate IMAGE only NUMBER SEED       looks at one alone, in this process
//
// Damage is aimed at what is no file's content, mostly: at the pieces that are read to name all files of the
// sound image. Of formats with checksums, most damage gets right ones. A child does a batch; one that dies
// costs the number that it was at. Each number may take SECONDS of processor time, and a batch what a worker
// may of memory.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"
#include "mutate.h"

#define BATCH        64
#define SECONDS      10
#define MEMORY       ((rlim_t)512 << 20)
#define CHANGES_MOST 4

/* What a child tells while it works. */
struct progress {
	unsigned number, opened;
	unsigned long files;
	double slowest;
	unsigned slowest_number;
};

struct subject {
	struct image image;
	struct signed_areas areas;
	uint8_t *sound; /* the pieces of image.data as they were */
	unsigned long seed;
};

/* --- images --- */

void ranges_add(struct ranges *ranges, uint64_t offset, uint64_t length)
{
	if (ranges->count == ranges->capacity) {
		ranges->capacity = ranges->capacity ? 2 * ranges->capacity : 64;
		ranges->items = realloc(ranges->items, ranges->capacity * sizeof(*ranges->items));
		if (!ranges->items)
			abort();
	}
	ranges->items[ranges->count++] = (struct range){ offset, length };
}

void image_read(const struct image *image, uint64_t offset, void *buffer, size_t length)
{
	ssize_t got = pread(image->file, buffer, length, (off_t)offset);
	size_t there = got > 0 ? (size_t)got : 0;
	memset((uint8_t *)buffer + there, 0, length - there);
}

void image_write(const struct image *image, uint64_t offset, const void *buffer, size_t length)
{
	if (offset >= image->size)
		return;
	size_t part = length < image->size - offset ? length : (size_t)(image->size - offset);
	if (pwrite(image->file, buffer, part, (off_t)offset) != (ssize_t)part)
		abort();
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i])
			return false;
	return true;
}

static void load(struct subject *subject, const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = file < 0 ? -1 : lseek(file, 0, SEEK_END);
	subject->image.file = memfd_create("image", MFD_CLOEXEC);
	if (size < 0 || subject->image.file < 0 || ftruncate(subject->image.file, size) != 0) {
		perror(path);
		exit(1);
	}
	subject->image.size = (uint64_t)size;
	struct ranges *data = &subject->image.data;
	for (off_t at = 0; (at = lseek(file, at, SEEK_DATA)) >= 0 && at < size;) {
		off_t end = lseek(file, at, SEEK_HOLE);
		for (; at < end; at += PIECE) {
			uint8_t bytes[PIECE] = { 0 };
			if (pread(file, bytes, PIECE, at) <= 0 || is_zero(bytes, PIECE))
				continue;
			image_write(&subject->image, (uint64_t)at, bytes, PIECE);
			ranges_add(data, (uint64_t)at, PIECE);
			subject->sound = realloc(subject->sound, data->count * PIECE);
			memcpy(subject->sound + (data->count - 1) * PIECE, bytes, PIECE);
		}
	}
	close(file);
}

static int compare_offsets(const void *left, const void *right)
{
	const struct range *a = left, *b = right;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

/* The pieces of the sound image that hold something and are read to name all of its files. */
static void find_metadata(struct subject *subject)
{
	struct ranges traced = { 0 };
	struct explored explored;
	const struct ranges *data = &subject->image.data;
	explore(&subject->image, &traced, &explored);
	bool *is_read = calloc(data->count + 1, sizeof(*is_read));
	for (size_t i = 0; i < traced.count; i++) {
		struct range first = { traced.items[i].offset & ~(uint64_t)(PIECE - 1), 0 };
		for (; first.offset < traced.items[i].offset + traced.items[i].length;
		     first.offset += PIECE) {
			struct range *found =
				bsearch(&first, data->items, data->count, sizeof(first), compare_offsets);
			if (found)
				is_read[found - data->items] = true;
		}
	}
	for (size_t i = 0; i < data->count; i++)
		if (is_read[i])
			ranges_add(&subject->image.metadata, data->items[i].offset, PIECE);
	free(is_read);
	free(traced.items);
}

/* --- damage --- */

static uint64_t chance_state;

/* SplitMix64. */
static uint64_t chance(uint64_t below)
{
	uint64_t value = chance_state += 0x9e3779b97f4a7c15;
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return (value ^ value >> 31) % below;
}

static uint64_t choose_piece(const struct image *image)
{
	const struct ranges *ranges = image->metadata.count && chance(8) ? &image->metadata : &image->data;
	/* Superblocks, headers and tables stand first. */
	uint64_t count = chance(6) ? ranges->count : (ranges->count + 15) / 16;
	return ranges->items[chance(count)].offset;
}

static void put_number(uint8_t *at, uint64_t value, unsigned width, bool big)
{
	for (unsigned i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> (8 * (big ? width - 1 - i : i)));
}

static uint64_t odd_number(void)
{
	static const uint64_t edges[] = { 0,          0x7f,       0xff,      0x7fff,    0xffff,
		                          0x7fffffff, 0xffffffff, INT64_MAX, UINT64_MAX };
	switch (chance(4)) {
	case 0:
		return edges[chance(sizeof(edges) / sizeof(*edges))] + chance(3) - 1;
	case 1:
		return UINT64_C(1) << chance(64);
	case 2:
		return chance(300);
	default:
		return chance(UINT64_MAX);
	}
}

static void damage_piece(const struct image *image, uint8_t *piece)
{
	static const uint8_t fillings[] = { 0, 0, 0xff, 0xff, 0x20, 0x0a, '/' };
	uint8_t other[PIECE];
	unsigned width = 1u << chance(4);
	size_t at = chance(PIECE), aligned = at & ~(size_t)(width - 1), length = 1 + chance(PIECE - at);
	switch (chance(9)) {
	case 0:
		piece[at] ^= (uint8_t)(1u << chance(8));
		break;
	case 1:
		piece[at] = (uint8_t)chance(256);
		break;
	case 2:
	case 3:
		put_number(piece + aligned, odd_number(), width, chance(2));
		break;
	case 4:
		piece[at] = (uint8_t)(piece[at] + (chance(2) ? 1 : -1));
		break;
	case 5:
		memset(piece + at, fillings[chance(sizeof(fillings))], length);
		break;
	case 6: /* a number that stands elsewhere: cycles come of these */
		image_read(image, choose_piece(image), other, PIECE);
		memcpy(piece + aligned, other + (chance(PIECE) & ~(size_t)(width - 1)), width);
		break;
	case 7:
		image_read(image, choose_piece(image), other, PIECE);
		memcpy(piece + at, other + at, length);
		break;
	default:
		memmove(piece + at, piece + chance(at + 1), length);
	}
}

static void damage(const struct image *image, struct ranges *changed)
{
	uint64_t at = choose_piece(image), other = choose_piece(image);
	uint8_t piece[PIECE], second[PIECE];
	image_read(image, at, piece, PIECE);
	if (chance(24) == 0) { /* two of them change places, or one stands in both */
		image_read(image, other, second, PIECE);
		image_write(image, other, piece, PIECE);
		ranges_add(changed, other, PIECE);
		if (chance(2))
			memcpy(piece, second, PIECE);
	} else {
		damage_piece(image, piece);
	}
	image_write(image, at, piece, PIECE);
	ranges_add(changed, at, PIECE);
}

static void mutate(struct subject *subject, unsigned number, struct ranges *changed)
{
	chance_state = subject->seed << 32 | number;
	changed->count = 0;
	for (uint64_t left = 1 + (chance(2) ? 0 : chance(CHANGES_MOST)); left > 0; left--)
		damage(&subject->image, changed);
	if (chance(10))
		signed_mend(&subject->image, &subject->areas, changed);
	if (chance(50) == 0) {
		subject->image.size = chance(2) ? chance(subject->image.size) : choose_piece(&subject->image);
		if (ftruncate(subject->image.file, (off_t)subject->image.size) != 0)
			abort();
	}
}

static void restore(struct subject *subject, uint64_t size)
{
	subject->image.size = size;
	if (ftruncate(subject->image.file, (off_t)size) != 0)
		abort();
	for (size_t i = 0; i < subject->image.data.count; i++)
		image_write(&subject->image, subject->image.data.items[i].offset, subject->sound + i * PIECE,
		            PIECE);
}

/* What lay in a hole of the sound image has to become zeros again, and only sums do; they lie beside data. */
static void undo(struct subject *subject, uint64_t size, const struct ranges *changed)
{
	const struct ranges *data = &subject->image.data;
	if (subject->image.size != size) {
		restore(subject, size);
		return;
	}
	for (size_t i = 0; i < changed->count; i++) {
		struct range first = { changed->items[i].offset & ~(uint64_t)(PIECE - 1), 0 };
		for (; first.offset < changed->items[i].offset + changed->items[i].length;
		     first.offset += PIECE) {
			struct range *found =
				bsearch(&first, data->items, data->count, sizeof(first), compare_offsets);
			if (found)
				image_write(&subject->image, first.offset,
				            subject->sound + (size_t)(found - data->items) * PIECE, PIECE);
		}
	}
}

/* --- batches --- */

static double processor_time(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run_batch(struct subject *subject, unsigned end, struct progress *progress)
{
	struct ranges changed = { 0 };
	struct explored explored;
	uint64_t size = subject->image.size;
	struct rlimit memory = { MEMORY, MEMORY };
	if (!UNDER_SANITIZER && setrlimit(RLIMIT_AS, &memory) != 0)
		abort();
	for (; progress->number < end; progress->number++) {
		struct itimerval limit = { .it_value.tv_sec = SECONDS };
		double start = processor_time();
		setitimer(ITIMER_PROF, &limit, NULL);
		mutate(subject, progress->number, &changed);
		explore(&subject->image, NULL, &explored);
		undo(subject, size, &changed);
		double taken = processor_time() - start;
		if (taken > progress->slowest) {
			progress->slowest = taken;
			progress->slowest_number = progress->number;
		}
		progress->opened += explored.opened;
		progress->files += explored.files;
	}
	_exit(0);
}

/* One child after the other; true when none died. */
static bool run(struct subject *subject, const char *path, unsigned count)
{
	struct progress *progress =
		mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t size = subject->image.size;
	unsigned died = 0;
	long peak = 0;
	if (progress == MAP_FAILED)
		abort();
	while (progress->number < count) {
		unsigned left = count - progress->number,
			 end = progress->number + (left < BATCH ? left : BATCH);
		int status;
		struct rusage usage;
		pid_t child = fork();
		if (child == 0)
			run_batch(subject, end, progress);
		if (child < 0 || wait4(child, &status, 0, &usage) != child)
			abort();
		peak = usage.ru_maxrss > peak ? usage.ru_maxrss : peak;
		if (status == 0)
			continue;
		bool signalled = WIFSIGNALED(status);
		printf("%s: damage %u of seed %lu: %s %d%s\n", path, progress->number, subject->seed,
		       signalled ? "signal" : "status", signalled ? WTERMSIG(status) : WEXITSTATUS(status),
		       signalled && WTERMSIG(status) == SIGPROF ? " (it does not end in time)" : "");
		fflush(stdout);
		died++;
		progress->number++;
		restore(subject, size);
	}
	printf("%u damages, %u opened, %lu files found, %u died; the slowest took %.2f s (%u), %ld MiB at "
	       "most\n",
	       count, progress->opened, progress->files, died, progress->slowest, progress->slowest_number,
	       peak >> 10);
	return died == 0;
}

static void keep(const struct image *image, const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (file < 0 || ftruncate(file, (off_t)image->size) != 0) {
		perror(path);
		exit(1);
	}
	for (uint64_t at = 0; at < image->size; at += PIECE) {
		uint8_t piece[PIECE];
		size_t length = image->size - at < PIECE ? (size_t)(image->size - at) : PIECE;
		image_read(image, at, piece, length);
		if (!is_zero(piece, length) && pwrite(file, piece, length, (off_t)at) != (ssize_t)length)
			abort();
	}
	close(file);
}

int main(int count, char **arguments)
{
	static struct subject subject; /* static: kept to the end, which is no leak */
	static struct ranges changed;
	struct explored explored;
	if (count < 3)
		return 3;
	bool one = strcmp(arguments[2], "keep") == 0 || strcmp(arguments[2], "only") == 0;
	const char *numbers = one ? arguments[3] : arguments[2], *seed = arguments[one ? 4 : 3];
	subject.seed = seed ? strtoul(seed, NULL, 10) : 1;
	load(&subject, arguments[1]);
	explore(&subject.image, NULL, &explored);
	if (!explored.opened || subject.image.data.count == 0) {
		printf("%s: the sound image cannot be opened\n", arguments[1]);
		return 1;
	}
	find_metadata(&subject);
	signed_find(&subject.image, &subject.areas);
	unsigned number = (unsigned)strtoul(numbers, NULL, 10);
	if (!one)
		return run(&subject, arguments[1], number) ? 0 : 1;
	mutate(&subject, number, &changed);
	if (count == 6)
		keep(&subject.image, arguments[5]);
	else
		explore(&subject.image, NULL, &explored);
	return 0;
}
