"""May Teal make its calls, and is its clock right?"""
