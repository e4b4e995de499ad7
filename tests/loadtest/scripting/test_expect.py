"""`pm.expect`: each word holds where it should, and fails where it should (contract: load testing §15.3)."""

import pytest

HOLD = """
pm.expect(1).to.equal(1); pm.expect(1).equals(1); pm.expect(1).to.eq(1)
pm.expect({a: [1, {b: NaN}]}).to.eql({a: [1, {b: NaN}]}); pm.expect([1]).to.eqls([1]); pm.expect([1]).to.deep.equal([1])
pm.expect([1]).to.not.equal([1])
pm.expect(true).to.be.true; pm.expect(false).to.be.false; pm.expect(null).to.be.null
pm.expect(undefined).to.be.undefined; pm.expect(NaN).to.be.NaN; pm.expect(1).to.be.ok; pm.expect(0).to.exist
pm.expect('').to.be.empty; pm.expect([]).to.be.empty; pm.expect({}).to.be.empty; pm.expect(new Map()).to.be.empty
(function () { pm.expect(arguments).to.be.arguments })()
pm.expect(true).to.be.true(); pm.expect(null).to.be.null().and.not.exist(); pm.expect(1).to.be.ok()
pm.expect(2).to.be.above(1); pm.expect(2).to.be.gt(1); pm.expect(2).to.be.greaterThan(1)
pm.expect(2).to.be.at.least(2); pm.expect(2).to.be.gte(2)
pm.expect(1).to.be.below(2); pm.expect(1).to.be.lt(2); pm.expect(1).to.be.lessThan(2)
pm.expect(2).to.be.at.most(2); pm.expect(2).to.be.lte(2)
pm.expect(2).to.be.within(2, 3); pm.expect(1.5).to.be.closeTo(1.4, 0.2); pm.expect(new Date(2)).to.be.above(new Date(1))
pm.expect('x').to.be.a('string'); pm.expect([]).to.be.an('array'); pm.expect({}).to.be.an('object')
pm.expect(null).to.be.a('null'); pm.expect(1).to.be.a('number'); pm.expect(/x/).to.be.a('regexp')
pm.expect(undefined).to.be.an('undefined'); pm.expect(() => 1).to.be.a('function'); pm.expect(true).to.be.a('Boolean')
pm.expect([]).to.be.instanceOf(Array); pm.expect(new Error()).to.be.an.instanceOf(Error)
pm.expect('abc').to.include('b'); pm.expect([1, 2]).to.contain(2); pm.expect([{a: 1}]).to.deep.include({a: 1})
pm.expect({a: 1, b: 2}).to.include({a: 1}); pm.expect({a: {b: 1}}).to.deep.include({a: {b: 1}})
pm.expect([{a: 1}]).to.not.include({a: 1}); pm.expect({a: {b: 1}}).to.nested.include({'a.b': 1})
pm.expect(new Set([1])).to.includes(1); pm.expect('abc').to.contains('c')
pm.expect({a: 1}).to.have.property('a'); pm.expect({a: 1}).to.have.property('a', 1)
pm.expect({a: {b: [5]}}).to.have.nested.property('a.b[0]', 5)
pm.expect({a: {b: 1}}).to.have.property('a').that.eql({b: 1})
pm.expect({a: {b: 1}}).to.have.deep.property('a', {b: 1}); pm.expect({}).to.not.have.own.property('toString')
pm.expect({a: undefined}).to.have.property('a'); pm.expect({a: 1}).to.not.have.property('a', 2)
pm.expect({a: 1, b: 2}).to.have.keys('a', 'b'); pm.expect({a: 1}).to.have.key('a')
pm.expect({a: 1}).to.have.all.keys(['a'])
pm.expect({a: 1, b: 2}).to.have.any.keys('a', 'z'); pm.expect({a: 1, b: 2}).to.include.keys('a')
pm.expect([1, 2]).to.have.members([2, 1]); pm.expect([1, 2]).to.include.members([2])
pm.expect([{a: 1}]).to.have.deep.members([{a: 1}]); pm.expect([1, 1]).to.not.have.members([1, 2])
pm.expect(1).to.be.oneOf([1, 2]); pm.expect(3).to.not.be.oneOf([1, 2])
pm.expect('ab').to.have.length(2); pm.expect([1]).to.have.lengthOf(1); pm.expect([1, 2]).to.have.length.above(1)
pm.expect([1, 2]).to.have.lengthOf.at.most(2); pm.expect(new Set([1])).to.have.length(1)
pm.expect('abc').to.match(/b/); pm.expect('abc').to.have.string('bc')
pm.expect(() => { throw new TypeError('bad news') }).to.throw()
pm.expect(() => { throw new TypeError('bad news') }).to.throw(TypeError); pm.expect(() => 1).to.not.throw()
pm.expect(() => { throw new TypeError('bad news') }).to.throw('news'); pm.expect(() => { throw Error('x') }).throws(/x/)
pm.expect(() => { throw new TypeError('bad news') }).to.throw(TypeError, /bad/)
pm.expect(2).to.satisfy((n) => n % 2 === 0); pm.expect([]).to.respondTo('push'); pm.expect(Array).to.respondTo('push')
pm.expect(1).to.be.been.is.that.which.and.has.have.with.at.of.same.but.does.still.also.equal(1)
pm.expect([1, 2]).to.be.an('array').that.includes(2).and.has.length(2)
pm.expect('x').to.not.be.null; pm.expect('x').to.not.be.undefined; pm.expect(1).to.be.a('number').and.not.equal(2)
""".strip().splitlines()

FAIL = """
pm.expect(1).to.equal(2) | AssertionError: expected 1 to equal 2
pm.expect('1').to.equal(1) | AssertionError: expected '1' to equal 1
pm.expect(1).to.not.equal(1) | AssertionError: expected 1 not to equal 1
pm.expect({a: 1}).to.eql({a: 2}) | AssertionError: expected { a: 1 } to deeply equal { a: 2 }
pm.expect(0).to.eql(-0) | AssertionError: expected 0 to deeply equal -0
pm.expect([1, 2]).to.eql([1]) | AssertionError: expected [ 1, 2 ] to deeply equal [ 1 ]
pm.expect(1, 'the count').to.equal(2) | AssertionError: the count: expected 1 to equal 2
pm.expect(0).to.be.null | AssertionError: expected 0 to be null
pm.expect(1).to.be.undefined | AssertionError: expected 1 to be undefined
pm.expect('').to.be.ok | AssertionError: expected '' to be truthy
pm.expect(false).to.be.true() | AssertionError: expected false to be true
pm.expect(null).to.exist | AssertionError: expected null to exist
pm.expect([1]).to.be.empty | AssertionError: expected [ 1 ] to be empty
pm.expect(5).to.be.empty | AssertionError: expected 5 to be something that can be empty
pm.expect(1).to.be.above(1) | AssertionError: expected 1 to be above 1
pm.expect('2').to.be.above(1) | AssertionError: expected '2' to be a number or a date
pm.expect(undefined).to.be.below(1) | AssertionError: expected undefined to be a number or a date
pm.expect(undefined).to.not.be.below(1) | AssertionError: expected undefined to be a number or a date
pm.expect(4).to.be.within(1, 3) | AssertionError: expected 4 to be within 1 and 3
pm.expect([]).to.be.an('object') | AssertionError: expected [] to be an object
pm.expect(null).to.be.an('object') | AssertionError: expected null to be an object
pm.expect('abc').to.include('x') | AssertionError: expected 'abc' to include 'x'
pm.expect(null).to.include('x') | AssertionError: expected null to be something that can include 'x'
pm.expect({a: 1}).to.have.property('b') | AssertionError: expected { a: 1 } to have the property 'b'
pm.expect({a: 1}).to.have.property('a', 2) | AssertionError: expected { a: 1 } to have the property 'a' of 2 but got 1
pm.expect(null).to.have.property('a') | AssertionError: expected null to have the property 'a'
pm.expect({a: 1, b: 2}).to.have.keys('a') | AssertionError: expected { a: 1, b: 2 } to have the keys [ 'a' ] but got [ \
'a', 'b' ]
pm.expect([1]).to.have.members([1, 2]) | AssertionError: expected [ 1 ] to have the members [ 1, 2 ]
pm.expect(3).to.be.oneOf([1, 2]) | AssertionError: expected 3 to be one of [ 1, 2 ]
pm.expect('ab').to.have.length(3) | AssertionError: expected 'ab' to have the length 3 but got 2
pm.expect([]).to.have.length.above(0) | AssertionError: expected 0 to be above 0
pm.expect(5).to.have.length(1) | AssertionError: expected 5 to have a length
pm.expect('abc').to.match(/x/) | AssertionError: expected 'abc' to match /x/
pm.expect(() => 1).to.throw() | AssertionError: expected [Function without a name] to throw an error
pm.expect(1).to.throw() | AssertionError: expected 1 to be a function
pm.expect.fail('on purpose') | AssertionError: on purpose
pm.expect(1).to.be.nul | Error: Unknown word in an assertion: 'nul'
pm.expect(1).to.bee.equal(1) | Error: Unknown word in an assertion: 'bee'
pm.expect(1).to.be.a('number').andd.equal(1) | Error: Unknown word in an assertion: 'andd'
pm.expect(true).to.be.true.ish | Error: Unknown word in an assertion: 'ish'
pm.expect(true).to.be.true().ish | Error: Unknown word in an assertion: 'ish'
pm.expect({a: 1}).to.have.property('a').equalls(1) | Error: Unknown word in an assertion: 'equalls'
pm.expect(1).toEqual(1) | Error: Unknown word in an assertion: 'toEqual'
pm.expect(1).constructor | Error: Unknown word in an assertion: 'constructor'
pm.expect(1).to.equal(1)() | TypeError: Not a function: the word before was called already
pm.expect(1).to.foo = 1 | Error: An assertion has no 'foo' to set
""".strip().splitlines()


def test_what_holds(run):
    """One script for all: a test a line."""
    outcome = run("\n".join(f"pm.test({line!r}, () => {{ {line} }});" for line in HOLD))
    assert outcome.error is None
    assert [test for test in outcome.tests if not test["passed"]] == []
    assert len(outcome.tests) == len(HOLD)


def test_what_fails(run):
    cases = [line.rpartition(" | ") for line in FAIL]
    outcome = run("\n".join(f"pm.test('t', () => {{ {assertion} }});" for assertion, _, _ in cases))
    assert outcome.error is None
    assert [test.get("error") for test in outcome.tests] == [error for _, _, error in cases]


@pytest.mark.parametrize(
    "value", ["const a = []; a.push(a); a", "'x'.repeat(10000)", "Array(1000).fill({})", "Symbol('s')"]
)
def test_failures_show_any_value_briefly(verdict, value):
    *before, last = value.rpartition("; ")
    error = verdict(f"{''.join(before)} pm.expect({last}).to.equal(1)")
    assert error.startswith("AssertionError: expected ")
    assert len(error) < 1500


def test_cycles_are_compared(verdict):
    cycle = "const a = {}; a.a = a; const b = {}; b.a = b;"
    assert verdict(f"{cycle} pm.expect(a).to.eql(b)") is None
    assert verdict(f"{cycle} b.c = 1; pm.expect(a).to.not.eql(b)") is None


def test_a_failed_assertion_outside_of_a_test_ends_the_script(run):
    outcome = run("pm.expect(1).to.equal(2); console.log('on')")
    assert (outcome.error, outcome.console) == ("AssertionError: expected 1 to equal 2", ())


def test_asynchronous_tests(run):
    outcome = run(
        "pm.test('kept', async () => { await 1; pm.expect(1).to.equal(1); });"
        "pm.test('broken', async () => { await 1; return pm.expect(1).to.equal(2); });"
        "pm.test('chain', async () => pm.expect(1).to.equal(1));"
        "pm.test('never', () => new Promise(() => {}));"
    )
    assert {test["name"]: test.get("error") for test in outcome.tests} == {
        "kept": None,
        "broken": "AssertionError: expected 1 to equal 2",
        "chain": None,
        "never": "Error: the promise of this test never settled",
    }
