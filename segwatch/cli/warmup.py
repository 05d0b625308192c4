"""``segwatch warmup``: compile everything now."""

import click


@click.command(name="warmup")
@click.option("--check", is_flag=True, help="Only say whether everything is compiled; exit with 1 if not.")
def command(check: bool) -> int:
    r"""Compile all kernels, so that no later command waits for a compilation.

    The machine code is kept in the user's cache folder (or SEGWATCH_CACHE_DIR) and is good for exactly this version
    on this kind of processor.

    \b
    Examples:
      segwatch warmup
      segwatch warmup --check || segwatch warmup
    """
    import time

    if check:
        from segwatch.jobs.compiled import is_warm

        warm = is_warm()
        click.echo("everything is compiled" if warm else "some kernels are not compiled: segwatch warmup does it")
        return 0 if warm else 1
    from segwatch.jobs.warmup import warm_up

    start = time.monotonic()
    warm_up()
    click.echo(f"everything is compiled ({time.monotonic() - start:.1f} s)")
    return 0
