/* Comes before all else of a function in C whose process is somebody else's: these calls of it go to program.c. */

#define main program_main
#define exit program_exit
#define getenv program_getenv
#define malloc program_malloc
#define calloc program_calloc
#define realloc program_realloc
#define free program_free
