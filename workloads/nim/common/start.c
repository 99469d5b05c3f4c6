/* Nim's own main has three parameters, and wasi-libc calls none such. */

void NimMain(void);
extern int nim_program_result;

int main(void)
{
    NimMain();
    return nim_program_result;
}
